"""Lists the layers and functions that Keras has, so that a test can ask of each whether the documentation tells what becomes of it.

    python make_name_lists.py Tests/Fixtures/keras_names.json
"""
import inspect
import json
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='-1', KERAS_BACKEND='tensorflow')
sys.dont_write_bytecode = True

import keras
import tf_keras


def layers(module, base):
    """Class names as configs have them, of the layers that are no base classes."""
    found = {value.__name__ for value in vars(module).values() if inspect.isclass(value) and issubclass(value, base)}
    return sorted(found - {'Layer', 'Wrapper', 'AbstractRNNCell'})


def functions(module):
    names = set()
    for name, value in vars(module).items():
        if inspect.ismodule(value) and not name.startswith('_'):
            names |= functions(value)
        elif callable(value) and not inspect.isclass(value) and not name.startswith('_'):
            names.add(name)
    return names


with open(sys.argv[1], 'w') as file:
    json.dump({'keras': keras.__version__, 'tf_keras': tf_keras.__version__, 'keras.layers': layers(keras.layers, keras.layers.Layer),
               'tf_keras.layers': layers(tf_keras.layers, tf_keras.layers.Layer), 'keras.ops': sorted(functions(keras.ops))}, file, indent=1)
    file.write('\n')
