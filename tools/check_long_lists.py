"""Lists of names over 64 KB, which an attribute of HDF5 does not hold: does real Keras read those that h5conv splits?

    python check_long_lists.py H5CONV [--with keras|tf_keras]

Makes a network of very many layers with long names, and one with a nested model of so many weights; converts what Keras saved to each kind of
HDF5 file, loads it and compares every weight, bit by bit. Exits with 1 when anything differs.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import warnings

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', TF_ENABLE_ONEDNN_OPTS='0', CUDA_VISIBLE_DEVICES='-1')
warnings.filterwarnings('ignore')
import h5py
import numpy as np

LAYERS, LENGTH = 420, 230


def name(number):
    return f'layer_{number:04d}_' + 'x' * (LENGTH - 11)


def many_layers(keras):
    x = y = keras.Input((2,), name='input')
    for number in range(LAYERS):
        y = keras.layers.Dense(2, name=name(number))(y)
    return keras.Model(x, y, name='many')


def many_weights(keras):
    inner = keras.Sequential([keras.Input((2,))] + [keras.layers.Dense(2, name=name(number)) for number in range(LAYERS)], name='inner')
    x = keras.Input((2,), name='input')
    return keras.Model(x, inner(x), name='nested')


def splits(path):
    """How many attributes of a file are parts of a list."""
    found = 0
    with h5py.File(path) as file:
        def look(_, item):
            nonlocal found
            found += sum(key.rstrip('0123456789') in ('layer_names', 'weight_names') and key[-1].isdigit() for key in item.attrs)
        look('', file)
        file.visititems(look)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('h5conv')
    parser.add_argument('--with', dest='library', default='keras', choices=['keras', 'tf_keras'])
    arguments = parser.parse_args()
    keras = __import__(arguments.library)
    good = bad = 0
    for build in (many_layers, many_weights):
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        model = build(keras)
        with tempfile.TemporaryDirectory() as folder:
            for source in ('own.h5', 'own.keras'):
                model.save(f'{folder}/{source}')
                for target, suffix in (('legacy-h5', '.h5'), ('legacy-weights', '.h5'), ('keras3-weights', '.weights.h5'), ('keras', '.keras')):
                    path, label = f'{folder}/{target}{suffix}', f'{build.__name__}, {source} -> {target}'
                    if arguments.library == 'tf_keras' and build is many_weights and target in ('legacy-h5', 'keras'):
                        continue  # whole models with models in them are written in Keras 3's form
                    run = subprocess.run([arguments.h5conv, 'convert', f'{folder}/{source}', path, '--to', target, '--force'],
                                         capture_output=True, text=True)
                    try:
                        assert run.returncode == 0, run.stderr.strip()[-300:]
                        assert not target.startswith('legacy') or splits(path), 'no list was split'
                        if target in ('legacy-h5', 'keras'):
                            loaded = keras.models.load_model(path)
                        else:
                            keras.utils.set_random_seed(2)
                            loaded = build(keras)
                            loaded.load_weights(path)
                        wrong = sum(np.asarray(a).tobytes() != np.asarray(b).tobytes() for a, b in zip(model.weights, loaded.weights))
                        assert len(model.weights) == len(loaded.weights) and not wrong, f'{wrong} weights differ'
                        good += 1
                    except Exception as error:
                        bad += 1
                        print(f'FAILED {label}: {type(error).__name__}: {str(error).strip()[:300]}')
    print(f'{arguments.library} {keras.__version__}: {good} good, {bad} bad')
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
