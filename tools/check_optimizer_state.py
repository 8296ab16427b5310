"""Closes the loop for training: does real Keras go on from the optimizer's state that h5conv keeps?

    python check_optimizer_state.py H5CONV [--with keras|tf_keras] [--only TEXT]

Trains a small network with each optimizer, saves it, converts the file to the same container, loads both, and compares the optimizer's
variables and the weights after one more step on the same batch, bit by bit. An optimizer that h5conv leaves out must be told as a warning, and
what Keras itself does not restore from its own file is skipped. Exits with 1 when anything differs.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import warnings

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', TF_ENABLE_ONEDNN_OPTS='0', CUDA_VISIBLE_DEVICES='-1', TF_NUM_INTRAOP_THREADS='1')
warnings.filterwarnings('ignore')
import numpy as np

OPTIMIZERS = {
    'Adam': {}, 'AdamW': {'weight_decay': 0.01}, 'Adamax': {}, 'Nadam': {}, 'Lion': {}, 'Lamb': {}, 'Adafactor': {}, 'Muon': {},
    'SGD': {'momentum': 0.9, 'nesterov': True}, 'RMSprop': {'momentum': 0.5, 'centered': True}, 'Adagrad': {}, 'Adadelta': {}, 'Ftrl': {},
}
VARIANTS = {'plain': {}, 'amsgrad': {'amsgrad': True}, 'ema': {'use_ema': True, 'ema_overwrite_frequency': 3}, 'clipped': {'clipnorm': 1.0}}


def network(keras):
    L = keras.layers
    x = keras.Input((8, 8, 3), name='picture')
    y = L.BatchNormalization(name='norm')(L.Conv2D(4, 3, activation='relu', name='conv')(x))
    y = L.GlobalAveragePooling2D(name='pool')(y)
    y = L.Add(name='sum')([L.Dense(5, name='b')(y), L.Dense(5, name='a')(y)])
    return keras.Model(x, L.Dense(2, name='out')(y), name='trained')


def cases(keras):
    for name, options in OPTIMIZERS.items():
        if hasattr(keras.optimizers, name):
            yield name, name, options
    for variant, options in VARIANTS.items():
        if options:
            yield f'Adam, {variant}', 'Adam', options


def arrays(variables):
    variables = variables() if callable(variables) else variables
    return [np.asarray(variable) for variable in variables]


def same(a, b):
    return len(a) == len(b) and all(x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes() for x, y in zip(a, b))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('h5conv')
    parser.add_argument('--with', dest='library', default='keras', choices=['keras', 'tf_keras'])
    parser.add_argument('--only', default='')
    arguments = parser.parse_args()
    keras = __import__(arguments.library)
    rng = np.random.RandomState(1)
    batch = rng.normal(size=(6, 8, 8, 3)).astype('float32'), rng.normal(size=(6, 2)).astype('float32')
    good = bad = left = unread = 0
    for label, name, options in cases(keras):
        for suffix in ('.keras', '.h5'):
            title = f'{label} {suffix}'
            if arguments.only not in title:
                continue
            keras.backend.clear_session()
            keras.utils.set_random_seed(3)
            model = network(keras)
            model.compile(getattr(keras.optimizers, name)(learning_rate=0.01, **options), keras.losses.MeanSquaredError())
            for _ in range(2):
                model.train_on_batch(*batch)
            state = arrays(model.optimizer.variables)
            with tempfile.TemporaryDirectory() as folder:
                paths = f'{folder}/own{suffix}', f'{folder}/converted{suffix}'
                try:
                    model.save(paths[0])
                except Exception:
                    unread += 1
                    print(f'SKIPPED {title}: Keras does not save it')
                    continue
                run = subprocess.run([arguments.h5conv, 'convert', *paths], capture_output=True, text=True)
                if run.returncode:
                    bad += 1
                    print(f'REFUSED {title}: {run.stderr.strip()[-200:]}')
                    continue
                told = 'warning' in run.stderr
                try:
                    own = keras.models.load_model(paths[0])
                except Exception:
                    unread += 1
                    print(f'SKIPPED {title}: Keras does not load its own file')
                    continue
                try:
                    converted = keras.models.load_model(paths[1])
                except Exception as error:
                    bad += 1
                    print(f'FAILED {title}: {type(error).__name__}: {str(error).strip()[:300]}')
                    continue
                kept = arrays(own.optimizer.variables)
                if not same(kept, state):
                    unread += 1
                    print(f'SKIPPED {title}: Keras does not restore the state from its own file')
                    continue
                optimizer = getattr(converted, 'optimizer', None)
                if optimizer is None or not same(arrays(optimizer.variables), kept):
                    if told:
                        left += 1
                        print(f'LEFT OUT {title}: {run.stderr.strip().splitlines()[0][:160]}')
                    else:
                        bad += 1
                        print(f'DIFFERENT {title}: the state, and h5conv says nothing')
                    continue
                for each in (own, converted):
                    keras.utils.set_random_seed(4)
                    each.train_on_batch(*batch)
                if same(arrays(own.weights), arrays(converted.weights)) and same(
                        arrays(own.optimizer.variables), arrays(converted.optimizer.variables)):
                    good += 1
                else:
                    bad += 1
                    print(f'DIFFERENT {title}: the weights after one more step')
    print(f'{arguments.library} {keras.__version__}: {good} go on the same, {bad} bad, {left} left out and told, {unread} not restored by Keras')
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
