"""Times another engine on a model made by bench_models.py; prints one line of JSON like h5conv-bench.

    python bench_peers.py ENGINE DIR MODEL [--threads 2] [--batch 1] [--seconds 3]      ENGINE: ort | openvino | mnn | tf

load_ms is from opening the file to the first result (imports are not counted), median_ms and min_ms are of running, with every output
read into memory of the process, cpu_ms the mean processor time of a run over all threads. Two runs are not counted; then there are at least 5, and more until the seconds are over, 200 at most.
"""
import argparse
import json
import os
import sys
import time

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='-1', TF_USE_LEGACY_KERAS='1')
sys.dont_write_bytecode = True

import numpy as np


def ort(path, feed, threads):
    import onnxruntime

    def start():
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path + '.onnx', options, providers=['CPUExecutionProvider'])
        name = session.get_inputs()[0].name
        return lambda: session.run(None, {name: feed})
    return start


def openvino(path, feed, threads):
    import openvino as ov

    def start():
        core = ov.Core()
        # What cannot be made ONNX is read as TensorFlow saved it.
        graph = core.read_model(path + '.onnx' if os.path.exists(path + '.onnx') else path + '_saved')
        graph.reshape(list(feed.shape))
        hints = {'INFERENCE_NUM_THREADS': threads, 'PERFORMANCE_HINT': 'LATENCY', 'INFERENCE_PRECISION_HINT': 'f32'}
        request = core.compile_model(graph, 'CPU', hints).create_infer_request()
        return lambda: [np.array(value) for value in request.infer([feed]).values()]
    return start


def mnn(path, feed, threads):
    import MNN

    def start():
        net = MNN.Interpreter(path + '.mnn')
        session = net.createSession({'backend': 'CPU', 'numThread': threads, 'precision': 'high'})
        given = net.getSessionInput(session)
        net.resizeTensor(given, feed.shape)
        net.resizeSession(session)
        host = MNN.Tensor(feed.shape, MNN.Halide_Type_Float, feed, MNN.Tensor_DimensionType_Tensorflow)
        outputs = net.getSessionOutputAll(session)

        def run():
            given.copyFrom(host)
            net.runSession(session)
            return [np.array(tensor.getNumpyData()) for tensor in outputs.values()]
        run.keep = net, session, host       # the session lives as long as its interpreter
        return run
    return start


def tf(path, feed, threads):
    import tensorflow
    import tf_keras as keras
    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)

    def start():
        model = keras.models.load_model(path.removesuffix('_all') + '.h5', compile=False)
        if path.endswith('_all'):
            model = keras.Model(model.input, [layer.output for layer in model.layers if type(layer).__name__ == 'Conv2D'])
        graph = tensorflow.function(lambda tensor: model(tensor, training=False))
        given = tensorflow.constant(feed)
        return lambda: [tensor.numpy() for tensor in tensorflow.nest.flatten(graph(given))]
    return start


ENGINES = {'ort': ort, 'openvino': openvino, 'mnn': mnn, 'tf': tf}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('engine', choices=ENGINES)
    parser.add_argument('dir')
    parser.add_argument('model')
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--batch', type=int, default=1)
    parser.add_argument('--seconds', type=float, default=3)
    arguments = parser.parse_args()
    side = 160 if arguments.model.startswith('mini') else 224
    feed = np.random.default_rng(7).random((arguments.batch, side, side, 3), 'float32')
    start = ENGINES[arguments.engine](os.path.join(arguments.dir, arguments.model), feed, arguments.threads)
    began = time.perf_counter()
    run = start()
    results = run()
    load = time.perf_counter() - began
    run()
    times, began, processor = [], time.perf_counter(), time.process_time()
    while len(times) < 5 or (len(times) < 200 and time.perf_counter() - began < arguments.seconds):
        before = time.perf_counter()
        run()
        times.append(time.perf_counter() - before)
    processor = (time.process_time() - processor) / len(times)
    milliseconds = lambda seconds: round(float(seconds) * 1000, 3)
    print(json.dumps({'load_ms': milliseconds(load), 'median_ms': milliseconds(np.median(times)), 'min_ms': milliseconds(min(times)),
                      'cpu_ms': milliseconds(processor), 'runs': len(times), 'outputs': len(results)}))


if __name__ == '__main__':
    main()
