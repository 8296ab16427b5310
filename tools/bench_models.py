"""Makes the models that tools/bench measures: seeded random weights, as Keras .h5, and as ONNX and MNN for the other engines.

    python bench_models.py OUT [mini vgg16 mobilenetv2 resnet50 efficientnetb0]      default: all

NAME.h5 is the whole model; NAME_all.onnx and .mnn are the same network with every Conv2D as an output, which is what `h5conv viz`
computes (mini and vgg16 only). mini is the network of the feature-map tutorial: 160×160×3, 0.28 GMAC; VGG16 has 15.35 GMAC.
Existing files are kept. Needs tools/requirements-bench.txt.
"""
import contextlib
import io
import os
import shutil
import subprocess
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='-1', TF_USE_LEGACY_KERAS='1')
sys.dont_write_bytecode = True


def mini(keras):
    layers = keras.layers
    conv = lambda name, filters, **more: layers.Conv2D(filters, 3, padding='same', activation='relu', name=name, **more)
    pool = lambda name: layers.MaxPooling2D(2, name=name)
    return keras.Sequential([
        conv('conv2d_1', 16, input_shape=(160, 160, 3)), conv('block0_conv2', 16), pool('block0_pool1'),
        conv('block1_conv1', 32), conv('block1_conv2', 32), pool('block1_pool1'),
        conv('block2_conv1', 64), conv('block2_conv2', 64), pool('block2_pool1'),
        conv('block3_conv1', 128), pool('block3_pool'), layers.Flatten(name='flatten_1'),
        layers.Dense(512, activation='relu', name='dense_2'), layers.Dropout(0.5, name='Dropout_1'),
        layers.Dense(1, activation='sigmoid', name='dense_3')], name='mini_vgg')


def growing(keras):
    """A network of convolutions that takes pictures of any size."""
    layers, steps = keras.layers, []
    for number, filters in enumerate((16, 32, 64, 64, 128, 128)):
        steps.append(layers.Conv2D(filters, 3, padding='same', activation='relu', name=f'conv{number}',
                                   **({'input_shape': (None, None, 3)} if number == 0 else {})))
        if number % 2:
            steps.append(layers.MaxPooling2D(2))
    return keras.Sequential(steps + [layers.GlobalAveragePooling2D(), layers.Dense(10)], name='growing')


def deep(count):
    """`count` equal convolutions, one behind the other."""
    def make(keras):
        conv = lambda number: keras.layers.Conv2D(64, 3, padding='same', activation='relu', kernel_initializer='he_normal',
                                                  name=f'conv{number}', **({'input_shape': (56, 56, 64)} if number == 0 else {}))
        return keras.Sequential([conv(number) for number in range(count)], name=f'deep{count}')
    return make


DEPTHS = (8, 16, 32, 64)
MAKERS = {
    'mini': mini,
    'vgg16': lambda keras: keras.applications.VGG16(weights=None),
    'mobilenetv2': lambda keras: keras.applications.MobileNetV2(weights=None),
    'resnet50': lambda keras: keras.applications.ResNet50(weights=None),
    'efficientnetb0': lambda keras: keras.applications.EfficientNetB0(weights=None),
    'growing': growing,
    **{f'deep{count}': deep(count) for count in DEPTHS},
}
TAPPED = ('mini', 'vgg16')      # whose convolutions are also measured as outputs
UNCONVERTED = ('vgg16',)        # 550 MB are more than tf2onnx converts in 24 GB of memory: as TensorFlow saved it, which OpenVINO reads
OURS = ('growing',) + tuple(f'deep{count}' for count in DEPTHS)     # that no other engine is measured with


def missing(out, name):
    """Files of the model that are still to be made."""
    files = [f'{name}.h5'] + ([name + '_saved'] if name in UNCONVERTED else [])
    if name in OURS:
        return [file for file in files if not os.path.exists(os.path.join(out, file))]
    for form in ([] if name in UNCONVERTED else [name]) + ([name + '_all'] if name in TAPPED else []):
        files += [f'{form}.onnx', f'{form}.mnn']
    return [file for file in files if not os.path.exists(os.path.join(out, file))]


def convert(model, path):
    """Writes path.onnx and path.mnn."""
    with contextlib.redirect_stdout(io.StringIO()):
        model.export(path + '_saved')
    run([sys.executable, '-m', 'tf2onnx.convert', '--saved-model', path + '_saved', '--output', path + '.onnx',
         '--signature_def', 'serve', '--tag', 'serve'])
    run([os.path.join(os.path.dirname(sys.executable), 'mnnconvert'), '-f', 'ONNX', '--modelFile', path + '.onnx',
         '--MNNModel', path + '.mnn', '--bizCode', 'bench'])
    shutil.rmtree(path + '_saved')


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f'{command[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}')


def make(out, name):
    import tf_keras as keras
    keras.backend.clear_session()
    keras.utils.set_random_seed(7)
    model = MAKERS[name](keras)
    model.save(os.path.join(out, name + '.h5'), include_optimizer=False)
    if name in OURS:
        return
    if name in UNCONVERTED:
        with contextlib.redirect_stdout(io.StringIO()):
            model.export(os.path.join(out, name + '_saved'))
    else:
        convert(model, os.path.join(out, name))
    if name in TAPPED:
        taps = keras.Model(model.input, [layer.output for layer in model.layers if type(layer).__name__ == 'Conv2D'])
        convert(taps, os.path.join(out, name + '_all'))


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith('-'):
        sys.exit(__doc__)
    out, names = sys.argv[1], sys.argv[2:] or [name for name in MAKERS if name not in OURS]
    unknown = [name for name in names if name not in MAKERS]
    if unknown:
        sys.exit(f'no such model: {", ".join(unknown)}; there are {", ".join(MAKERS)}')
    os.makedirs(out, exist_ok=True)
    for name in names:
        if missing(out, name):
            print(f'making {name}', file=sys.stderr, flush=True)
            make(out, name)


if __name__ == '__main__':
    main()
