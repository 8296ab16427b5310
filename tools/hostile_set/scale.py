"""Very many of what is harmless in small numbers: whoever looks through all of them for each of them never ends."""
import json
import pickle

import h5py
import numpy as np

from . import tiny
from .archives import raw
from .arrays import npy, literal, safetensors
from .case import PICTURE, Case, model_runs
from .mutations import picture_model
from .pickles import member


def star(count):
    """Layers that all take the input."""
    layers = [tiny.layer('Activation', f'l{i}', 'image', activation='relu') for i in range(count)]
    return tiny.functional([tiny.input_layer()] + layers, [each['name'] for each in layers])


def bunch_of_models(count):
    inner = tiny.sequential([tiny.layer('Flatten', 'f', None)], 'inner')
    nested = [{'class_name': 'Sequential', 'name': f'm{i}', 'config': {**inner['config'], 'name': f'm{i}'}, 'inbound_nodes': [[['image', 0, 0, {}]]]}
              for i in range(count)]
    return tiny.functional([tiny.input_layer()] + nested, [f'm{i}' for i in range(count)])


def keywords(count, inputs):
    layer = tiny.layer('Add', 'add', ['image'] * inputs)
    for place, each in enumerate(layer['inbound_nodes'][0]):
        each[3] = {f'k{place}_{i}': i for i in range(count)}
    return tiny.functional([tiny.input_layer(), layer], 'add')


def model(name, config, weights=None):
    def make(place):
        made = config()
        tiny.h5(place.folder / 'model.h5', made, weights or {})
        return model_runs('in/model.h5')
    return Case('scale-' + name, make)


def weights_only(name, build):
    def make(place):
        with h5py.File(place.folder / 'model.weights.h5', 'w', libver='latest') as file:
            build(file)
        return model_runs('in/model.weights.h5')
    return Case('scale-' + name, make)


def legacy_names(layers, weights):
    def build(file):
        file.attrs['backend'] = 'tensorflow'
        file.attrs.create('layer_names', [f'l{i}' for i in range(layers)], dtype=h5py.string_dtype())
        for i in range(min(layers, 1000)):
            group = file.create_group(f'l{i}')
            group.attrs.create('weight_names', [f'w{j}' for j in range(weights)], dtype=h5py.string_dtype())
    return build


def split_names(file):
    """A list in as many attributes as nobody needs."""
    for i in range(3000):
        file.attrs[f'layer_names{i}'] = np.array([b'x'] * 20, 'S1')


def backslashes(count):
    def build(file):
        for i in range(count):
            file.create_group(f'layers\\dense_{i}\\vars')
    return build


def wide(count):
    def build(file):
        layers = file.create_group('layers')
        for i in range(count):
            layers.create_group(f'dense_{i}').create_group('vars')
    return build


def tiny_chunks(file):
    """Weights of many filtered chunks of one element."""
    variables = file.create_group('layers/dense/vars')
    variables.create_dataset('0', data=np.zeros((200, 200), 'f4'), chunks=(1, 1), compression='gzip')


def arrays(place):
    one = npy(literal(shape='(1,)'), bytes(4))
    path = place.write('model.npz', raw([(f'layers/l{i}/k.npy', one, {}) for i in range(8000)]))
    return model_runs(path, hdf5=False)


def tensors(place):
    data = safetensors({f'layers/l{i}/k': np.zeros(1, 'f4') for i in range(15_000)})
    return model_runs(place.write('model.safetensors', data), hdf5=False)


def pickled(place):
    nothing = member(pickle.dumps(np.array({}, object), 4))
    path = place.write('model.npz', raw([('__root__.npy', nothing, {})] + [(f'layers/d{i}.npy', nothing, {}) for i in range(5000)]))
    return model_runs(path, hdf5=False)


def shards(place):
    names = {f'/layers/l{i}/vars': [f'shard{i}.weights.h5'] for i in range(50_000)}
    path = place.write('model.weights.json', json.dumps({'metadata': {}, 'weight_map': names}))
    return [['inspect', path], ['check', path], ['convert', path, 'out/x.npz']]


def outputs(place):
    """More arrays to write than a process may have open files."""
    tiny.h5(place.folder / 'model.h5', star(4500))
    return [['extract', 'in/model.h5', str(PICTURE), '-l', '*', '-o', 'out/x.npz'], ['extract', 'in/model.h5', str(PICTURE), '-l', '@outputs', '-o', 'out/x.h5'],
            ['slice', 'in/model.h5', '--outputs', '@outputs', '-o', 'out/x.keras'], ['diff', '--input', str(PICTURE), 'in/model.h5', 'in/model.h5']]


def batches(place):
    """A batch of very many inputs, and inputs under very many names."""
    path = place.write('batch.npy', npy(literal(shape='(30000, 1, 1, 3)'), bytes(12 * 30_000)))
    return [['predict', picture_model(), path], ['extract', picture_model(), path, '-o', 'out/x.npy'], ['viz', picture_model(), path, '-o', 'out/viz']]


def cases():
    return [
        model('star-8000', lambda: star(8000)), model('models-3000', lambda: bunch_of_models(3000)), model('keywords-30000', lambda: keywords(30_000, 1)),
        model('keywords-of-each-input', lambda: keywords(20, 500)), weights_only('layer-names-50000', legacy_names(50_000, 3)),
        weights_only('weight-names', legacy_names(50, 1000)), weights_only('split-names', split_names), weights_only('backslashes', backslashes(8000)),
        weights_only('wide', wide(4000)), weights_only('tiny-chunks', tiny_chunks), Case('scale-arrays', arrays), Case('scale-tensors', tensors),
        Case('scale-pickles', pickled), Case('scale-shards', shards), Case('scale-outputs', outputs), Case('scale-batches', batches),
    ]
