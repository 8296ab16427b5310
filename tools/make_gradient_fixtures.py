"""Makes the golden gradients: what tf.GradientTape gives for the model fixtures.

    python make_gradient_fixtures.py Tests/Fixtures/models OUT.npz

For each layer of each model (those inside nested models left out): the gradient of Σ seed · output with respect to the inputs, where
seed is sin(0.37 i + 1) of the element's place i. Some elements of it are kept, and its largest:

    MODEL|LAYER|INPUT            values at the places 0, step, 2 step … where step = max(1, size // 24)
    MODEL|LAYER|INPUT|largest    the largest magnitude of all

A layer that TensorFlow has no gradient for, or whose gradient is 0, is left out. OUT is usually Tests/Fixtures/gradients/gradients.npz.
"""
import glob
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', TF_ENABLE_ONEDNN_OPTS='0', CUDA_VISIBLE_DEVICES='-1', KERAS_BACKEND='tensorflow')
sys.dont_write_bytecode = True
import numpy as np
import tensorflow as tf

from fixtures.harness import Writer
from fixtures.outputs import calls, graph_of, input_names

KEPT = 24
LEFT_OUT = {
    'k3_softmax_axis_lists': 'Keras 3 loads a list of axes as another axis',
    'tfk_functions|tf.math.squared_difference': 'one side is tf.stop_gradient, an identity at inference',
}
# Gradients by an attention mask: a number that stands for minus infinity.
LARGEST = 1e6


def seed(shape):
    return np.sin(0.37 * np.arange(int(np.prod(shape))) + 1).astype('float32').reshape(shape)


def gradients(writer, model, golden):
    """(layer, input, gradient) for every layer."""
    found = [(layer.name + (f'@{number}' if number else '') + (f':{i}' if i else ''), tensor)
             for layer, number, _, outputs in calls(model) for i, tensor in enumerate(outputs)]
    names = input_names(model)
    feeds = [tf.constant(golden['input:' + name]) for name in names]
    tap = writer.keras.Model(list(graph_of(model).inputs), [tensor for _, tensor in found])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(feeds)
        values = tap(feeds, training=False)
        values = values if isinstance(values, (list, tuple)) else [values]
        sums = [tf.reduce_sum(value * seed(value.shape)) if value.dtype == tf.float32 else None for value in values]
    for (name, _), total in zip(found, sums):
        if total is None:
            continue
        try:
            results = tape.gradient(total, feeds)
        except Exception:
            continue
        for input_name, result in zip(names, results):
            if result is not None:
                yield name, input_name, tf.convert_to_tensor(result).numpy()


def main():
    folder, out = sys.argv[1:]
    arrays, skipped = {}, []
    for prefix in ('tfk', 'k3'):
        writer = Writer(prefix)
        for path in sorted(glob.glob(os.path.join(folder, prefix + '_*.h5'))):
            name = os.path.basename(path)[:-3]
            if name in LEFT_OUT:
                continue
            writer.keras.backend.clear_session()
            try:
                for layer, source, result in gradients(writer, writer.load(path), np.load(path[:-3] + '.npz')):
                    largest = np.abs(result).max()
                    if not 0 < largest < LARGEST or f'{name}|{layer}' in LEFT_OUT:
                        continue
                    key = f'{name}|{layer}|{source}'
                    arrays[key] = result.reshape(-1)[::max(1, result.size // KEPT)].astype('float32')
                    arrays[key + '|largest'] = np.float32(largest).reshape(1)
            except Exception as error:
                skipped.append(f'{name}: {type(error).__name__}: {str(error)[:100]}')
    os.makedirs(os.path.dirname(out), exist_ok=True)
    np.savez_compressed(out, **arrays)
    print(f'{len(arrays) // 2} gradients, {os.path.getsize(out) / 1024:.0f} KB; skipped:', *skipped, sep='\n  ')


if __name__ == '__main__':
    main()
