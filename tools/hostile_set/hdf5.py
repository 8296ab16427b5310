"""HDF5 files that declare what they do not hold, point elsewhere, or never end."""
import struct

import h5py
import numpy as np

from . import tiny
from .case import Case, model_runs

F4 = h5py.h5t.IEEE_F32LE


def low(group, name, shape, kind=F4, chunk=None, external=None, filters=(), maximum=None):
    """A dataset without data, made through the low-level interface."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    if chunk:
        properties.set_chunk(chunk)
    for number, values in filters:
        properties.set_filter(number, h5py.h5z.FLAG_OPTIONAL, values)
    if external:
        properties.set_external(external[0].encode(), external[1], external[2])
    return h5py.h5d.create(group.id, name.encode(), kind, h5py.h5s.create_simple(shape, maximum or shape), properties,
                           lcpl=intermediate())


def intermediate():
    links = h5py.h5p.create(h5py.h5p.LINK_CREATE)
    links.set_create_intermediate_group(True)
    return links


def weight_cases():
    """Each gives a function (group, name) that writes the kernel of a convolution."""
    kernel = tiny.conv_weights()['kernel:0']

    def chunk_bomb(group, name):
        low(group, name, (10**9, 10**9), chunk=(1, 1024))

    def right_shape_huge_chunk(group, name):
        # One chunk of 3.9 GB around 54 elements.
        data = low(group, name, (3, 3, 3, 2), chunk=(30, 300, 300, 360), maximum=(h5py.h5s.UNLIMITED,) * 4, filters=[(1, (1,))])
        import zlib
        data.write_direct_chunk((0, 0, 0, 0), zlib.compress(bytes(1 << 16)))

    def huge_chunk_plain(group, name):
        low(group, name, (3, 3, 3, 2), chunk=(30, 300, 300, 360), maximum=(h5py.h5s.UNLIMITED,) * 4).write_direct_chunk(
            (0, 0, 0, 0), bytes(216))

    def gzip_bomb(group, name):
        import zlib
        data = low(group, name, (64, 1 << 20), chunk=(1, 1 << 20), filters=[(1, (9,))])
        packed = zlib.compress(bytes(4 << 20), 9)
        for row in range(64):
            data.write_direct_chunk((row, 0), packed)

    def short_gzip(group, name):
        import zlib
        low(group, name, (3, 3, 3, 2), chunk=(3, 3, 3, 2), filters=[(1, (1,))]).write_direct_chunk(
            (0, 0, 0, 0), zlib.compress(np.float32([1, 2, 3]).tobytes()))

    def long_gzip(group, name):
        import zlib
        low(group, name, (3, 3, 3, 2), chunk=(3, 3, 3, 2), filters=[(1, (1,))]).write_direct_chunk(
            (0, 0, 0, 0), zlib.compress(bytes(1 << 26)))

    def bad_gzip(group, name):
        low(group, name, (3, 3, 3, 2), chunk=(3, 3, 3, 2), filters=[(1, (1,))]).write_direct_chunk((0, 0, 0, 0), b'x' * 216)

    def unknown_filter(number):
        def write(group, name):
            low(group, name, (3, 3, 3, 2), chunk=(3, 3, 3, 2), filters=[(number, (3,))]).write_direct_chunk((0, 0, 0, 0), bytes(216))
        return write

    def many_filters(group, name):
        low(group, name, (3, 3, 3, 2), chunk=(3, 3, 3, 2), filters=[(2, (4,))] * 31).write_direct_chunk((0, 0, 0, 0), bytes(216))

    def shuffle_lie(group, name):
        low(group, name, (3, 3, 3, 2), chunk=(3, 3, 3, 2), filters=[(2, (2**31 - 1,))]).write_direct_chunk((0, 0, 0, 0), bytes(216))

    def external(path):
        def write(group, name):
            low(group, name, (3, 3, 3, 2), external=(path(), 0, 216))
        return write

    def typed(kind):
        def write(group, name):
            low(group, name, (3, 3, 3, 2), kind)
        return write

    def vlen(group, name):
        data = group.create_dataset(name, (3, 3, 3, 2), h5py.vlen_dtype('f4'))
        data[0, 0, 0, 0] = [1, 2, 3]

    def vlen_text(group, name):
        group.create_dataset(name, data=np.full((3, 3, 3, 2), 'x' * 10_000, object), dtype=h5py.string_dtype())

    compound = h5py.h5t.py_create(np.dtype([('a', 'f4'), ('b', 'i8')]))
    odd_float = F4.copy()
    odd_float.set_fields(31, 20, 11, 0, 20)
    precise = F4.copy()
    precise.set_fields(15, 10, 5, 0, 10)
    precise.set_precision(20)
    opaque = h5py.h5t.create(h5py.h5t.OPAQUE, 1 << 16)
    empty = {
        'chunk-bomb': chunk_bomb, 'huge-chunk-packed': right_shape_huge_chunk, 'huge-chunk-plain': huge_chunk_plain, 'gzip-bomb': gzip_bomb,
        'gzip-short': short_gzip, 'gzip-long': long_gzip, 'gzip-damaged': bad_gzip, 'filter-lzf': unknown_filter(32000),
        'filter-zstd': unknown_filter(32015), 'filter-511': unknown_filter(511), 'filter-nbit': unknown_filter(5),
        'filter-scaleoffset': unknown_filter(6), 'filter-szip': unknown_filter(4), 'filters-31': many_filters, 'shuffle-lie': shuffle_lie,
        'vlen': vlen, 'vlen-text': vlen_text, 'contiguous-huge': lambda g, n: low(g, n, (10**6, 10**6)),
        'rank-32': lambda g, n: low(g, n, (1,) * 32), 'zero-sized': lambda g, n: low(g, n, (0, 3, 3, 2)),
        'overflow': lambda g, n: low(g, n, (2**40, 2**40), chunk=(1, 1)), 'longest-axis': lambda g, n: low(g, n, (2**63 - 1,), chunk=(1,)),
        'compound': typed(compound), 'odd-float': typed(odd_float), 'float-precision': typed(precise),
        'reference': typed(h5py.h5t.STD_REF_OBJ), 'region-reference': typed(h5py.h5t.STD_REF_DSETREG), 'opaque-64k': typed(opaque),
        'enumeration': typed(h5py.h5t.py_create(h5py.enum_dtype({'a': 1, 'b': 2}, 'i4'))), 'bit-field': typed(h5py.h5t.STD_B32LE),
        'array-type': typed(h5py.h5t.array_create(F4, (1000, 1000))), 'time': typed(h5py.h5t.UNIX_D32LE),
        'text-1g': typed(text_of(2**30)), 'complex': typed(h5py.h5t.py_create(np.dtype('c8'))),
        'null': lambda g, n: g.__setitem__(n, h5py.Empty('f4')), 'group-instead': lambda g, n: g.create_group(n),
        'type-instead': lambda g, n: g.__setitem__(n, np.dtype('f4')), 'other-shape': lambda g, n: g.__setitem__(n, kernel.T),
        'not-finite': lambda g, n: g.__setitem__(n, np.full_like(kernel, np.nan)),
        'huge-values': lambda g, n: g.__setitem__(n, np.full(kernel.shape, 1e308)),
        'soft-link': lambda g, n: g.__setitem__(n, h5py.SoftLink('/model_weights/conv/bias:0')),
        'soft-link-to-itself': lambda g, n: g.__setitem__(n, h5py.SoftLink(n)),
        'soft-link-up': lambda g, n: g.__setitem__(n, h5py.SoftLink('../../../secret')),
    }
    return empty


def text_of(size):
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(size)
    return kind


def weight_case(name, write):
    def make(place):
        config, weights = tiny.good()
        weights['conv']['kernel:0'] = write
        tiny.h5(place.folder / 'model.h5', config, weights)
        return model_runs('in/model.h5')
    return Case('weight-' + name, make)


def elsewhere_cases():
    """Data in other files: the secret ones."""
    def with_weight(name, write):
        def make(place):
            config, weights = tiny.good()
            weights['conv']['kernel:0'] = lambda group, key: write(place, group, key)
            tiny.h5(place.folder / 'model.h5', config, weights)
            return model_runs('in/model.h5')
        return Case('elsewhere-' + name, make)

    def virtual(source):
        def write(place, group, key):
            layout = h5py.VirtualLayout((3, 4), 'f4')
            layout[:] = h5py.VirtualSource(source(place), 'data', (3, 4))
            group.create_virtual_dataset(key, layout)
        return write

    def model_link(place):
        config, weights = tiny.good()
        tiny.h5(place.folder / 'model.h5', config, weights)
        with h5py.File(place.folder / 'model.h5', 'r+') as file:
            del file['model_weights']
            file['model_weights'] = h5py.ExternalLink(str(place.outside / 'secret.h5'), '/')
        return model_runs('in/model.h5')

    def layer_link(place):
        config, weights = tiny.good()
        tiny.h5(place.folder / 'model.h5', config, weights)
        with h5py.File(place.folder / 'model.h5', 'r+') as file:
            del file['model_weights/conv']
            file['model_weights/conv'] = h5py.ExternalLink(str(place.outside / 'secret.h5'), '/')
        return model_runs('in/model.h5')

    def shards(reference):
        def make(place):
            import json
            path = place.write('model.weights.json', json.dumps({'metadata': {}, 'weight_map': {'/layers/conv/vars': [reference(place)]}}))
            return [['inspect', '--weights', path], ['check', path], ['convert', path, 'out/x.npz']]
        return make

    def folder_with_shards(place):
        import json
        config, _ = tiny.good()
        place.write('model/config.json', json.dumps(config))
        place.write('model/metadata.json', '{"keras_version": "3.15.1"}')
        place.write('model/model.weights.json', json.dumps({'weight_map': {'/layers/conv/vars': '../../../outside/secret.h5'}}))
        return model_runs('in/model', hdf5=False)

    return [
        with_weight('external-link', lambda p, g, k: g.__setitem__(k, h5py.ExternalLink(str(p.outside / 'secret.h5'), '/data'))),
        with_weight('external-raw', lambda p, g, k: low(g, k, (3, 3, 3, 2), external=(str(p.outside / 'secret.raw'), 0, 216))),
        with_weight('external-passwd', lambda p, g, k: low(g, k, (3, 3, 3, 2), external=('/etc/passwd', 0, 216))),
        with_weight('external-device', lambda p, g, k: low(g, k, (3, 3, 3, 2), external=('/dev/zero', 0, 216))),
        with_weight('virtual', virtual(lambda p: str(p.outside / 'secret.h5'))),
        with_weight('virtual-itself', virtual(lambda p: '.')),
        Case('elsewhere-model-weights', model_link), Case('elsewhere-layer', layer_link),
        Case('elsewhere-shard-up', shards(lambda p: '../../outside/secret.h5')),
        Case('elsewhere-shard-absolute', shards(lambda p: str(p.outside / 'secret.h5'))),
        Case('elsewhere-shard-nul', shards(lambda p: 'secret.h5\0.h5')), Case('elsewhere-shard-many', shards(lambda p: 'x' * 5000)),
        Case('elsewhere-folder', folder_with_shards),
    ]


def shape_of_tree_cases():
    """Cycles, depth, numbers of objects, large attributes."""
    runs = lambda path: [['inspect', '--tree', path], ['inspect', '--weights', path], ['check', path], ['convert', path, 'out/x.npz'],
                         ['diff', path, path]]

    def file_case(name, build, variables=False):
        def make(place):
            with h5py.File(place.folder / 'file.weights.h5', 'w', libver=('latest' if 'latest' in name else 'earliest')) as file:
                build(file)
            return runs('in/file.weights.h5')
        return Case('tree-' + name, make)

    def deep(levels):
        def build(file):
            group = file
            for _ in range(levels):
                group = group.create_group('layers')
            group.create_group('vars')['0'] = np.zeros(3, 'f4')
        return build

    def hard_cycle(file):
        group = file.create_group('layers/a')
        group['again'] = file['layers']
        group['root'] = file['/']
        group.create_group('vars')['0'] = np.zeros(3, 'f4')

    def lattice(file):
        # 2**40 paths through 41 groups.
        groups = [file.create_group(f'g{i}') for i in range(41)]
        for upper, lower in zip(groups, groups[1:]):
            upper['layers'] = lower
            upper['more'] = lower
        groups[-1].create_group('vars')['0'] = np.zeros(3, 'f4')
        file['vars'] = groups[-1]['vars']

    def soft_cycle(file):
        file['layers'] = h5py.SoftLink('/more')
        file['more'] = h5py.SoftLink('/layers')
        file['vars'] = h5py.SoftLink('/vars')

    def many(count):
        def build(file):
            group = file.create_group('vars')
            for i in range(count):
                group.create_group(f'{i}')
        return build

    def many_links(file):
        file.create_group('vars')['0'] = np.zeros(3, 'f4')
        group = file.create_group('layers')
        for i in range(20_000):
            group[f'l{i}'] = file['vars']

    def many_attributes(file):
        file.create_group('vars')
        for i in range(3000):
            file.attrs[f'a{i}'] = 'x'

    def wide_attribute(file):
        file.create_group('vars')
        file.attrs.create('model_config', '{"class_name": "' + 'x' * 50_000_000 + '"}', dtype=h5py.string_dtype())

    def list_attribute(file):
        file.attrs['layer_names'] = np.array([b'x'] * 60_000, 'S1')
        file.attrs['backend'] = 'tensorflow'

    def shared_text(file):
        # 3,000 names, each the same text of 2 MB: the file has it once.
        file.attrs.create('backend', 'y' * 2_000_000, dtype=h5py.string_dtype())
        file.attrs.create('layer_names', ['x'] * 3000, dtype=h5py.string_dtype())

    return [
        file_case('deep-3000', deep(3000)), file_case('deep-60', deep(60)), file_case('deep-latest-1000', deep(1000)),
        file_case('hard-cycle', hard_cycle), file_case('lattice', lattice), file_case('soft-cycle', soft_cycle),
        file_case('many-groups', many(5000)), file_case('many-links', many_links), file_case('many-attributes-latest', many_attributes),
        file_case('wide-attribute', wide_attribute), file_case('list-attribute', list_attribute), shared_text_case(shared_text, runs),
        Case('tree-self-vars', lambda place: self_vars(place, runs)), Case('tree-cyclic-btree', lambda place: cyclic_btree(place, runs)),
        Case('tree-layer-names-numbers', lambda place: number_names(place, runs)),
    ]


def self_vars(place, runs):
    with h5py.File(place.folder / 'file.weights.h5', 'w') as file:
        file.create_group('layers')
        file['layers/vars'] = file['layers']
        file['vars'] = file['/']
    return runs('in/file.weights.h5')


def number_names(place, runs):
    with h5py.File(place.folder / 'file.weights.h5', 'w') as file:
        file.attrs['layer_names'] = np.arange(5)
        file.attrs['backend'] = 3
        file.attrs['model_config'] = np.zeros(10, [('a', 'f4')])
        file.attrs['keras_version'] = h5py.Empty('S1')
    return runs('in/file.weights.h5')


def shared_text_case(build, runs):
    def make(place):
        path = place.folder / 'file.weights.h5'
        with h5py.File(path, 'w') as file:
            build(file)
        # References to the heap are (length, address of the collection, number): all of them get those of the long text.
        data = bytearray(path.read_bytes())
        long = struct.pack('<I', 2_000_000)
        at = data.find(long)
        while at >= 0 and at + 16 < len(data):
            reference = bytes(data[at:at + 16])
            collection = struct.unpack('<Q', reference[4:12])[0]
            if 0 < collection < len(data) and data[collection:collection + 4] == b'GCOL':
                break
            at = data.find(long, at + 1)
        short = data.find(struct.pack('<I', 1))
        count = 0
        while short >= 0 and at >= 0:
            collection = struct.unpack('<Q', data[short + 4:short + 12].ljust(8, b'\0'))[0]
            if 0 < collection < len(data) and data[collection:collection + 4] == b'GCOL':
                data[short:short + 16] = reference
                count += 1
            short = data.find(struct.pack('<I', 1), short + 4)
        path.write_bytes(data)
        return runs('in/file.weights.h5')
    return Case('tree-shared-text', make)


def cyclic_btree(place, runs):
    """A group whose B-tree leaf has itself as right sibling."""
    path = place.folder / 'file.weights.h5'
    with h5py.File(path, 'w') as file:
        group = file.create_group('layers')
        for i in range(200):
            group.create_group(f'l{i}')
        file.create_group('vars')
    data = bytearray(path.read_bytes())
    at = data.find(b'TREE')
    while at >= 0:
        for field in (8, 16):
            data[at + field:at + field + 8] = struct.pack('<Q', at)
        at = data.find(b'TREE', at + 4)
    path.write_bytes(data)
    return runs('in/file.weights.h5')


def heap_cases():
    """Lies about the config's text, which lies in the file's global heap: in its place, in the collection, in the object."""
    def case(name, change):
        def make(place):
            config, weights = tiny.good()
            path = place.folder / 'model.h5'
            tiny.h5(path, config, weights)
            data = bytearray(path.read_bytes())
            heap = data.find(b'GCOL')
            at = data.find(struct.pack('<Q', heap))
            while at >= 4 and struct.unpack('<I', data[at - 4:at])[0] < 300:
                at = data.find(struct.pack('<Q', heap), at + 1)
            change(data, at - 4, heap)
            path.write_bytes(data)
            return model_runs('in/model.h5')
        return Case('heap-' + name, make)

    def reference(length=None, collection=None, number=None):
        def change(data, at, heap):
            old = struct.unpack('<IQI', data[at:at + 16])
            new = (length, collection(heap, len(data)) if collection else None, number)
            data[at:at + 16] = struct.pack('<IQI', *(new[i] if new[i] is not None else old[i] for i in range(3)))
        return change

    def at_heap(offset, form, *values):
        def change(data, _, heap):
            data[heap + offset:heap + offset + struct.calcsize(form)] = struct.pack(form, *values)
        return change

    return [case(name, change) for name, change in {
        'length-4g': reference(length=2**32 - 1), 'length-1': reference(length=1), 'length-longer': reference(length=100_000), 'number-0': reference(number=0),
        'number-65535': reference(number=65535), 'number-4g': reference(number=2**32 - 1), 'collection-itself': reference(collection=lambda heap, size: heap + 16),
        'collection-end': reference(collection=lambda heap, size: size - 8), 'collection-far': reference(collection=lambda heap, size: 2**63 + 5),
        'collection-all': reference(collection=lambda heap, size: 2**64 - 1), 'size-0': at_heap(8, '<Q', 0), 'size-17': at_heap(8, '<Q', 17), 'size-huge': at_heap(8, '<Q', 2**64 - 1),
        'size-2-40': at_heap(8, '<Q', 2**40), 'object-empty-free': at_heap(16, '<HHIQ', 0, 0, 0, 0), 'object-free-1': at_heap(16, '<HHIQ', 0, 0, 0, 1),
        'object-0': at_heap(24, '<Q', 0), 'object-huge': at_heap(24, '<Q', 2**64 - 1), 'object-wraps': at_heap(24, '<Q', 2**64 - 24), 'object-1': at_heap(24, '<Q', 1),
        'object-number': at_heap(16, '<H', 65535), 'signature': at_heap(0, '<4s', b'TREE'), 'version': at_heap(4, '<B', 9),
    }.items()]


def cases():
    return heap_cases() + [weight_case(name, write) for name, write in weight_cases().items()] + elsewhere_cases() + shape_of_tree_cases()
