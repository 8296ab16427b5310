"""Small models written without Keras, whose every word can be chosen."""
import io
import json
import zipfile

import h5py
import numpy as np


def input_layer(name='image', shape=(None, 8, 8, 3)):
    return {'class_name': 'InputLayer', 'name': name, 'config': {'name': name, 'batch_input_shape': list(shape), 'dtype': 'float32'},
            'inbound_nodes': []}


def layer(class_name, name, inputs, **config):
    nodes = [[[each, 0, 0, {}] for each in ([inputs] if isinstance(inputs, str) else inputs)]] if inputs is not None else []
    return {'class_name': class_name, 'name': name, 'config': {'name': name, 'trainable': True, 'dtype': 'float32', **config},
            'inbound_nodes': nodes}


def convolution(name, inputs, filters=2, **config):
    return layer('Conv2D', name, inputs, **{'filters': filters, 'kernel_size': [3, 3], 'strides': [1, 1], 'padding': 'same',
                                            'use_bias': True, 'activation': 'relu', **config})


def functional(layers, outputs, name='model', inputs=None):
    inputs = inputs or [each['name'] for each in layers if each['class_name'] == 'InputLayer']
    return {'class_name': 'Functional', 'config': {
        'name': name, 'layers': layers, 'input_layers': [[each, 0, 0] for each in inputs],
        'output_layers': [[each, 0, 0] for each in ([outputs] if isinstance(outputs, str) else outputs)]}}


def sequential(layers, name='model'):
    return {'class_name': 'Sequential', 'config': {'name': name, 'layers': layers}}


def conv_weights(channels=3, filters=2):
    return {'kernel:0': np.linspace(-1, 1, 9 * channels * filters, dtype='f4').reshape(3, 3, channels, filters),
            'bias:0': np.zeros(filters, 'f4')}


def h5(path, config, weights=None, version='2.15.0', spread=None):
    """Writes a model file of Keras 2; `config` is an object or text, `weights` is {layer: {weight: array or function(group, name)}}."""
    with h5py.File(path, 'w') as file:
        text = config if isinstance(config, (str, bytes)) else json.dumps(config)
        file.attrs['keras_version'] = version
        store_text(file, 'model_config', text)
        root = file.create_group('model_weights')
        names = list(weights or {})
        store_names(root, 'layer_names', names)
        root.attrs['backend'], root.attrs['keras_version'] = 'tensorflow', version
        for name, arrays in (weights or {}).items():
            group = root.require_group(name) if name.strip('/.\0') else root.require_group('unnamed')
            store_names(group, 'weight_names', list(arrays))
            for weight, data in arrays.items():
                data(group, weight) if callable(data) else group.create_dataset(weight, data=data)


def store_text(owner, name, text):
    data = text if isinstance(text, bytes) else text.encode('utf-8', 'surrogatepass')
    if b'\0' in data:
        owner.attrs[name] = np.array(data[:60_000], f'S{min(len(data), 60_000)}')
        return
    # Variable length: a fixed text may have at most 64 KB.
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(h5py.h5t.VARIABLE)
    attribute = h5py.h5a.create(owner.id, name.encode(), kind, h5py.h5s.create(h5py.h5s.SCALAR))
    attribute.write(np.array(data, dtype=h5py.string_dtype('ascii')))


def store_names(owner, name, names):
    encoded = [each.encode('utf-8', 'surrogatepass') for each in names]
    width = max([len(each) for each in encoded] + [1])
    if not encoded:
        owner.attrs[name] = []
    elif width * len(encoded) < 60_000:
        owner.attrs[name] = np.array(encoded, f'S{width}')
    else:
        owner.attrs.create(name, [each.decode('utf-8', 'replace').replace('\0', '?') for each in names], dtype=h5py.string_dtype())


def h5_bytes(config, weights=None, **options):
    memory = io.BytesIO()
    h5(memory, config, weights, **options)
    return memory.getvalue()


def keras(config, weights=None, metadata='{"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}', method=zipfile.ZIP_STORED):
    """A `.keras` archive as bytes; `config` is an object or text."""
    if weights is None:
        memory = io.BytesIO()
        with h5py.File(memory, 'w') as file:
            file.create_group('layers')
        weights = memory.getvalue()
    result = io.BytesIO()
    with zipfile.ZipFile(result, 'w') as archive:
        for name, data in (('metadata.json', metadata), ('config.json', config if isinstance(config, (str, bytes)) else json.dumps(config)),
                           ('model.weights.h5', weights)):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, method)
    return result.getvalue()


def good():
    """A model with one convolution, and its weights."""
    return functional([input_layer(), convolution('conv', 'image')], 'conv'), {'conv': conv_weights()}
