"""Makes the HDF5 files of Tests/Fixtures/hdf5 with h5py, and the arrays of Tests/Fixtures/arrays with NumPy.

    python make_hdf5_fixtures.py Tests/Fixtures

The same bytes each time. Element i of an array is (i - 5) / 4; of an integer array i - 5; of an unsigned one i; of bools i % 3 == 0.
"""
import json
import os
import sys

import h5py
import numpy as np

SHAPE = (3, 4)


def values(dtype, shape=SHAPE):
    i = np.arange(int(np.prod(shape)))
    kind = np.dtype(dtype).kind
    numbers = {'f': (i - 5) / 4, 'i': i - 5, 'u': i, 'b': i % 3 == 0}[kind]
    return numbers.astype(dtype).reshape(shape)


FLOATS = [order + kind for kind in ('f2', 'f4', 'f8') for order in '<>']
INTEGERS = ['i1', 'u1'] + [order + kind for kind in ('i2', 'i4', 'i8', 'u2', 'u4', 'u8') for order in '<>']


def create(folder, name, **options):
    return h5py.File(os.path.join(folder, name), 'w', **options)


def text_type(size, pad, cset=h5py.h5t.CSET_ASCII):
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(size)
    kind.set_strpad(pad)
    kind.set_cset(cset)
    return kind


def fixed_attribute(owner, name, data, pad):
    size = len(data[0])
    attribute = h5py.h5a.create(owner.id, name.encode(), text_type(size, pad), h5py.h5s.create_simple((len(data),)))
    attribute.write(np.array(data, f'S{size}'), mtype=text_type(size, pad))


def types(folder):
    with create(folder, 'types.h5') as file:
        for kind in FLOATS + INTEGERS + ['?']:
            file[kind.replace('<', 'le_').replace('>', 'be_').replace('?', 'bool')] = values(kind)
        halves = (values('<f4').view('<u4') >> 16).astype('<u2')
        bfloat = h5py.h5t.create(h5py.h5t.OPAQUE, 2)
        bfloat.set_tag(b'bfloat16')
        dataset = h5py.h5d.create(file.id, b'bfloat16', bfloat, h5py.h5s.create_simple(SHAPE))
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, halves.view('V2'), mtype=bfloat)
        file['scalar'] = np.float32(0.25)
        file['empty'] = np.zeros((0, 3), 'f4')
        file['null'] = h5py.Empty('f4')
        file['text'] = 'words'
        file['complex'] = values('f4').astype('c8')
        file['record'] = np.zeros(2, [('a', 'f4'), ('b', 'i4')])
        file['named_type'] = np.dtype('f4')


def storage(folder):
    with create(folder, 'storage.h5') as file:
        data = values('<f4', (6, 8))
        file['contiguous'] = data
        for name, options in {
            'chunked': {}, 'gzip': {'compression': 'gzip'}, 'gzip_shuffle': {'compression': 'gzip', 'shuffle': True},
            'fletcher32': {'fletcher32': True}, 'lzf': {'compression': 'lzf'},
        }.items():
            file.create_dataset(name, data=data, chunks=(4, 3), **options)
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_layout(h5py.h5d.COMPACT)
        h5py.h5d.create(file.id, b'compact', h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple(data.shape), properties).write(
            h5py.h5s.ALL, h5py.h5s.ALL, data)
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((6, 8))
        properties.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
        zstd = h5py.h5d.create(file.id, b'zstd', h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple(data.shape), properties)
        zstd.write_direct_chunk((0, 0), data.tobytes())
        # Nothing is stored of these: 4 EB, and 4 GB.
        file.create_dataset('huge_chunked', (10**9, 10**9), 'f4', chunks=(1, 1024))
        file.create_dataset('huge_gzip', (10**9, 10**9), 'f4', chunks=(1, 1024), compression='gzip')
        file.create_dataset('huge_contiguous', (10**9,), 'f4')
        file.create_dataset('overflow', (2**40, 2**40), 'f4', chunks=(1, 1024))
        file.create_dataset('external', SHAPE, 'f4', external=[('elsewhere.raw', 0, 48)])
        layout = h5py.VirtualLayout(SHAPE, 'f4')
        layout[:] = h5py.VirtualSource('elsewhere.h5', 'data', SHAPE)
        file.create_virtual_dataset('virtual', layout)


def links(folder):
    with create(folder, 'links.h5') as file:
        group = file.create_group('group')
        group['data'] = values('<f4')
        file['hard'] = group
        file['soft_group'] = h5py.SoftLink('/group')
        file['soft_data'] = h5py.SoftLink('/group/data')
        file['dangling'] = h5py.SoftLink('/nowhere')
        file['external'] = h5py.ExternalLink('types.h5', '/le_f4')
        file['external_group'] = h5py.ExternalLink('types.h5', '/')
        group['self'] = group
        group['root'] = file['/']
        file['named_type'] = np.dtype('f4')


def attributes(folder):
    with create(folder, 'attributes.h5') as file:
        a = file.attrs
        a['scalar_utf8'] = 'Größe ✓'
        a.create('scalar_ascii', b'tensorflow', dtype=h5py.string_dtype('ascii'))
        a.create('variable_list', ['conv1', 'größer', ''], dtype=h5py.string_dtype('utf-8'))
        a['fixed_list'] = np.array([b'conv1', b'bn', b'dense_1'])
        a['empty_list'] = []
        a['null'] = h5py.Empty('S1')
        a['number'] = 7
        a['numbers'] = np.arange(3.0)
        fixed_attribute(file, 'full_width', [b'abc', b'def'], h5py.h5t.STR_NULLPAD)
        fixed_attribute(file, 'terminated', [b'ab\0', b'd\0\0'], h5py.h5t.STR_NULLTERM)
        fixed_attribute(file, 'spaces', [b'abc ', b'd   '], h5py.h5t.STR_SPACEPAD)
        a['split0'] = np.array([b'a', b'b'])
        a['split1'] = np.array([b'c'])
        a['split3'] = np.array([b'never'])


def blocks(folder):
    with create(folder, 'user_block.h5', userblock_size=512) as file:
        file['data'] = values('<f4')
    with create(folder, 'latest.h5', libver='latest') as file:
        file['data'] = values('<f4')


def model(folder, name, config, layers=(), version='2.15.0', whole=True):
    """A model file in the legacy layout; layers: {layer: {weight: values or link}}."""
    with create(folder, name) as file:
        root = file
        if whole:
            file.attrs['keras_version'] = version
            file.attrs['model_config'] = config if isinstance(config, str) else json.dumps(config)
            root = file.create_group('model_weights')
        root.attrs['layer_names'] = np.array([n.encode() for n in layers])
        root.attrs['backend'] = 'tensorflow'
        root.attrs['keras_version'] = version
        for layer, weights in dict(layers).items():
            if isinstance(weights, (h5py.SoftLink, h5py.ExternalLink)):
                root[layer] = weights
                continue
            group = root.create_group(layer)
            group.attrs['weight_names'] = np.array([w.encode() for w in weights]) if weights else []
            for weight, data in weights.items():
                if callable(data):
                    data(group, weight)
                else:
                    group[weight] = data


def dense_model(units=2):
    return {'class_name': 'Sequential', 'config': {'name': 'small', 'layers': [
        {'class_name': 'InputLayer', 'config': {'name': 'x', 'batch_input_shape': [None, 3]}},
        {'class_name': 'Dense', 'config': {'name': 'dense', 'units': units, 'activation': 'linear', 'use_bias': True}}]}}


def models(folder):
    kernel, bias = values('<f4', (3, 2)), values('<f4', (2,))
    good = {'dense/kernel:0': kernel, 'dense/bias:0': bias}
    model(folder, 'model.h5', dense_model(), {'dense': good})
    model(folder, 'model_weights_only.h5', None, {'dense': good}, whole=False)
    model(folder, 'model_soft_group.h5', dense_model(), {'dense': h5py.SoftLink('/elsewhere')})
    model(folder, 'model_soft_weight.h5', dense_model(), {'dense': {'dense/kernel:0': h5py.SoftLink('/keras_version'), 'dense/bias:0': bias}})
    model(folder, 'model_external_weight.h5', dense_model(),
          {'dense': {'dense/kernel:0': h5py.ExternalLink('types.h5', '/le_f4'), 'dense/bias:0': bias}})
    model(folder, 'model_huge_weight.h5', dense_model(), {'dense': {
        'dense/kernel:0': lambda g, n: g.create_dataset(n, (10**9, 10**9), 'f4', chunks=(1, 1024)), 'dense/bias:0': bias}})
    model(folder, 'model_declared_only.h5', dense_model(), {'dense': {
        'dense/kernel:0': lambda g, n: g.create_dataset(n, (3, 2), 'f4', chunks=(3, 2)), 'dense/bias:0': bias}})
    model(folder, 'model_wrong_shape.h5', dense_model(), {'dense': {'dense/kernel:0': kernel.T, 'dense/bias:0': bias}})
    model(folder, 'model_missing_weight.h5', dense_model(), {'dense': {'dense/kernel:0': kernel}})
    model(folder, 'model_listed_only.h5', dense_model(), {'dense': {
        'dense/kernel:0': lambda g, n: None, 'dense/bias:0': bias}})
    model(folder, 'model_no_groups.h5', dense_model())
    model(folder, 'model_text_weight.h5', dense_model(), {'dense': {'dense/kernel:0': 'words', 'dense/bias:0': bias}})
    model(folder, 'model_bad_json.h5', '{"class_name": "Sequential", "config": {"layers": [', {'dense': good})
    model(folder, 'model_empty_json.h5', '{}', {'dense': good})
    model(folder, 'model_huge_units.h5', dense_model(2**50), {'dense': good})
    model(folder, 'model_control_names.h5', json.loads(json.dumps(dense_model()).replace('dense', 'a\\u001b[31m\\u202eb')), {})
    with create(folder, 'keras3.weights.h5') as file:
        variables = file.create_group('layers/dense/vars')
        variables['0'], variables['1'] = kernel, bias
        file.create_group('vars')
    with create(folder, 'not_a_model.h5') as file:
        file['data'] = values('<f4')


def arrays(folder):
    def save(name, array, version=None):
        with open(os.path.join(folder, name + '.npy'), 'wb') as file:
            np.lib.format.write_array(file, array, version, allow_pickle=True)
    for kind in FLOATS + INTEGERS + ['?']:
        name = kind.replace('<', 'le_').replace('>', 'be_').replace('?', 'bool')
        save(name, values(kind))
        save(name + '_fortran', np.asfortranarray(values(kind)))
    for version in (1, 2, 3):
        save(f'version{version}', values('<f4'), (version, 0))
    save('scalar', np.float32(0.25))
    save('vector', values('<f4', (5,)))
    save('cube_fortran', np.asfortranarray(values('<f4', (2, 3, 4))))
    save('empty', np.zeros((0, 3), 'f4'))
    save('special', np.array([np.nan, np.inf, -np.inf, 6e-8, -0.0, 65504], 'f2'))
    save('complex', values('f4').astype('c8'))
    save('text', np.array(['a', 'b']))
    save('record', np.zeros(2, [('a', 'f4'), ('b', 'i4')]))
    save('object', np.array([{}], object))
    # NumPy writes the time of day into archives; fixed members give the same bytes each time.
    import io
    import warnings
    import zipfile
    for name, method in (('stored', zipfile.ZIP_STORED), ('deflated', zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(os.path.join(folder, name + '.npz'), 'w', method) as archive:
            for key, array in (('b', values('<f4')), ('a/inner:1', values('<i8', (5,)))):
                memory = io.BytesIO()
                np.save(memory, array)
                archive.writestr(zipfile.ZipInfo(key + '.npy', (1980, 1, 1, 0, 0, 0)), memory.getvalue(), method)
    with warnings.catch_warnings(), zipfile.ZipFile(os.path.join(folder, 'twice.npz'), 'w') as archive:
        warnings.simplefilter('ignore')
        for value in (1, 2):
            memory = io.BytesIO()
            np.save(memory, np.float32(value))
            archive.writestr(zipfile.ZipInfo('b.npy', (1980, 1, 1, 0, 0, 0)), memory.getvalue())


if __name__ == '__main__':
    root = sys.argv[1]
    hdf5, npy = os.path.join(root, 'hdf5'), os.path.join(root, 'arrays')
    os.makedirs(hdf5, exist_ok=True)
    os.makedirs(npy, exist_ok=True)
    for make in (types, storage, links, attributes, blocks, models):
        make(hdf5)
    arrays(npy)
