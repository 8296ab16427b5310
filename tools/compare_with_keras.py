"""Compares what h5conv computes with what Keras computes, layer by layer.

    python compare_with_keras.py MODEL.h5 INPUT --h5conv PATH [--preprocess none] [--tolerance 1e-4] [--quiet]

INPUT: .npy (batch first), .npz (one array per input, by name of the input layer), or a picture: Pillow makes the array as
keras.utils.load_img does (RGB, nearest, stretched to the model's input), and both sides get that array.
--preprocess is handed to h5conv, and applied here to the array that Keras gets.
Keras is tf_keras or Keras 3, whichever loads the model, the one that wrote it first.

Prints max|a - b| / max(1, max|golden|) of each layer, worst first. Exit code: 0 all below the tolerance, 1 not, 2 nothing to compare.

Keras runs the code that a model file carries (Lambda layers): compare only files you trust.
"""
import argparse
import os
import subprocess
import sys
import tempfile

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='-1')
os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
sys.dont_write_bytecode = True

import numpy as np

from fixtures.harness import Writer
from fixtures.outputs import evaluate, graph_of, input_names, layer_outputs


def give_up(message):
    print(message, file=sys.stderr)
    sys.exit(2)


def written_by(path):
    """'k3' or 'tfk': the generation a file says it is from."""
    import h5py
    try:
        with h5py.File(path) as file:
            version = file.attrs.get('keras_version', '')
    except OSError:      # a .keras archive
        return 'k3'
    version = version.decode() if isinstance(version, bytes) else str(version)
    return 'k3' if version.startswith('3') else 'tfk'


def load(path):
    first = written_by(path)
    errors = []
    for prefix in (first, 'tfk' if first == 'k3' else 'k3'):
        try:
            writer = Writer(prefix)
            return writer, writer.load(path)
        except Exception as error:
            errors.append(f'{prefix}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ""}')
    give_up('neither Keras loads it: ' + '; '.join(errors))


def picture(path, model):
    from PIL import Image
    shape = tuple(graph_of(model).inputs[0].shape)
    first = shape[-1] not in (1, 3, 4) and shape[1] in (1, 3)
    height, width, channels = (shape[2], shape[3], shape[1]) if first else shape[1:]
    image = Image.open(path).convert('L' if channels == 1 else 'RGB')
    if height and width and image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.NEAREST)
    array = np.asarray(image, 'float32')
    array = (array[:, :, None] if array.ndim == 2 else array)[None]
    return np.ascontiguousarray(np.moveaxis(array, -1, 1)) if first else array


def preprocessed(array, how, channel_axis):
    """The arithmetic of --preprocess; `auto` is refused, as only h5conv knows what it chooses."""
    if how == 'none':
        return array
    if how == 'rescale':
        return array / np.float32(255)
    if how == 'tf':
        return array / np.float32(127.5) - np.float32(1)
    spread = [1] * array.ndim
    spread[channel_axis] = 3
    values = lambda numbers: np.array(numbers, 'float32').reshape(spread)
    if how == 'caffe':
        return np.flip(array, channel_axis) - values([103.939, 116.779, 123.68])
    if how == 'torch':
        return (array / np.float32(255) - values([.485, .456, .406])) / values([.229, .224, .225])
    if how.startswith('mean:') and ',std:' in how:
        mean, std = how[5:].split(',std:')
        return (array - values([float(v) for v in mean.split(',')])) / values([float(v) for v in std.split(',')])
    give_up(f'cannot compare with --preprocess {how}: use none, rescale, tf, caffe, torch or mean:R,G,B,std:R,G,B')


def read_input(path, model):
    """{input layer: array}, in the order of the model's inputs."""
    names = input_names(model)
    if path.endswith('.npz'):
        with np.load(path) as arrays:
            found = {key.removeprefix('input:'): arrays[key] for key in arrays}
        missing = [name for name in names if name not in found]
        if missing:
            give_up(f'{path}: no array for input {", ".join(missing)}')
        return {name: found[name] for name in names}
    if len(names) > 1:
        give_up(f'the model has the inputs {", ".join(names)}: give an .npz with an array for each')
    return {names[0]: np.load(path) if path.endswith('.npy') else picture(path, model)}


def patient(model, feeds, wanted, masks=None):
    """Like evaluate, but tensors that Keras cannot compute come out as None."""
    try:
        return evaluate(model, feeds, wanted, masks)
    except Exception:
        values = {}
        for tensor in wanted:
            if id(tensor) not in values:
                try:
                    values[id(tensor)] = evaluate(model, feeds, [tensor], masks)[0]
                except Exception:
                    values[id(tensor)] = None
        return [values[id(tensor)] for tensor in wanted]


def keras_outputs(model, feeds):
    results = {}
    try:
        results = layer_outputs(model, feeds, evaluate=patient)
    except Exception as error:      # an inner model whose input could not be computed
        print(f'keras: {type(error).__name__}: {error}', file=sys.stderr)
    skipped = [name for name, value in results.items() if value is None]
    if skipped or not results:
        try:                        # channels first on a CPU
            from fixtures.channels_first import run as run_one_by_one
            results.update({name: value for name, value in run_one_by_one(model, feeds).items() if results.get(name) is None})
        except Exception:
            pass
    skipped = [name for name, value in results.items() if value is None]
    if skipped:
        print(f'keras cannot compute, skipped: {", ".join(skipped)}', file=sys.stderr)
    return {name: np.asarray(value).astype('float32') for name, value in results.items() if value is not None}


def h5conv_outputs(program, model, inputs, preprocess):
    with tempfile.TemporaryDirectory() as folder:
        given, out = os.path.join(folder, 'input.npz'), os.path.join(folder, 'output.npz')
        if len(inputs) == 1:
            given = os.path.join(folder, 'input.npy')
            np.save(given, next(iter(inputs.values())))
        else:
            np.savez(given, **inputs)
        command = [program, 'extract', model, given, '-l', '*', '-o', out, '--preprocess', preprocess]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.stderr.write(done.stderr)
            give_up(f'h5conv ended with {done.returncode}')
        with np.load(out) as arrays:
            return {key: arrays[key] for key in arrays}


def scaled_error(golden, other):
    """max|a - b| / max(1, max|golden|); infinite where shapes differ or only one side is not finite."""
    if golden.shape != other.shape:
        return float('inf')
    if golden.size == 0:
        return 0.0
    finite = np.isfinite(golden)
    if not np.array_equal(golden[~finite], other[~finite], equal_nan=True) or not np.isfinite(other[finite]).all():
        return float('inf')
    if not finite.any():
        return 0.0
    return float(np.abs(golden[finite].astype('float64') - other[finite]).max() / max(1.0, np.abs(golden[finite]).max()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('model')
    parser.add_argument('input')
    parser.add_argument('--h5conv', required=True, metavar='PATH', help='the program')
    parser.add_argument('--preprocess', default='none')
    parser.add_argument('--tolerance', type=float, default=1e-4)
    parser.add_argument('--quiet', action='store_true', help='print only the worst layer')
    arguments = parser.parse_args()

    writer, model = load(arguments.model)
    inputs = read_input(arguments.input, model)
    shapes = [tuple(t.shape) for t in graph_of(model).inputs]
    feeds = []
    for (name, array), shape in zip(inputs.items(), shapes):
        if array.ndim != len(shape) or any(size not in (None, given) for size, given in zip(shape, array.shape)):
            give_up(f'the input for {name} has the shape {array.shape}, the model takes {shape}')
        first = array.ndim == 4 and shape[-1] not in (1, 3, 4) and shape[1] in (1, 3)
        feeds.append(preprocessed(array, arguments.preprocess, 1 if first else array.ndim - 1) if array.ndim == 4 else array)
    golden = keras_outputs(model, feeds)
    ours = h5conv_outputs(arguments.h5conv, arguments.model, inputs, arguments.preprocess)
    common = [name for name in golden if name in ours]
    if not common:
        give_up('no layer in common')
    errors = sorted(((scaled_error(golden[name], ours[name]), name) for name in common), reverse=True)
    for error, name in errors[:1] if arguments.quiet else errors:
        note = f'  shapes {golden[name].shape} and {ours[name].shape}' if golden[name].shape != ours[name].shape else ''
        print(f'{error:10.3e}  {name}{note}')
    absent = [name for name in golden if name not in ours]
    if absent:
        print(f'not in the output of h5conv: {", ".join(absent)}')
    worst = errors[0][0]
    good = worst <= arguments.tolerance and not absent
    print(f'{len(common)} layers, {writer.prefix}, worst {worst:.3e}: {"good" if good else "NOT within " + format(arguments.tolerance, "g")}')
    sys.exit(0 if good else 1)


if __name__ == '__main__':
    main()
