"""Pickled weights (`model.weights.npz` in a `.keras`, and by itself) that are programs: read as data, never run."""
import json
import pickle
import struct

import numpy as np

from . import tiny
from .archives import raw
from .case import Case, model_runs


def member(data):
    """A `.npy` of one object."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(117) + b'\n'
    return b'\x93NUMPY\1\0' + struct.pack('<H', len(header)) + header + data


def text(value):
    return b'X' + struct.pack('<I', len(value)) + value


def call(module, name, arguments=b')'):
    return b'c' + module + b'\n' + name + b'\n' + arguments + b'R'


def pickled(value):
    held = np.empty((), object)
    held[()] = value
    return pickle.dumps(held, 4)


def array(shape, code=b'f4', data=b'', fortran=b'\x89'):
    """An array as NumPy pickles it; `shape` is the pickle of one."""
    start = call(b'numpy.core.multiarray', b'_reconstruct', b'cnumpy\nndarray\nK\0\x85C\1b\x87')
    kind = call(b'numpy', b'dtype', text(code) + b'\x89\x88\x87') + b'(K\3' + text(b'<') + b'NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb'
    return start + b'(K\1' + shape + kind + fortran + b'B' + struct.pack('<I', len(data)) + data + b'tb'


def object_array(inner):
    """What holds the dictionary of an object's variables."""
    start = call(b'numpy.core.multiarray', b'_reconstruct', b'cnumpy\nndarray\nK\0\x85C\1b\x87')
    kind = call(b'numpy', b'dtype', text(b'O8') + b'\x89\x88\x87')
    return b'\x80\4' + start + b'(K\1)' + kind + b'\x89]' + inner + b'atb.'


def variables(*arrays):
    return object_array(b'}(' + b''.join(text(b'%d' % number) + each for number, each in enumerate(arrays)) + b'u')


def cases():
    config, _ = tiny.good()
    good = [('metadata.json', b'{"keras_version": "3.15.1"}', {}), ('config.json', json.dumps(config).encode(), {})]
    number = lambda value: b'\x8a\x08' + struct.pack('<q', value)
    shape = lambda *sizes: b'(' + b''.join(number(each) for each in sizes) + b't'
    command = call(b'os', b'system', text(b'touch out/pickle-ran') + b'\x85')
    nested = b'\x80\4' + b']' * 500_000 + b'a' * 499_999 + b'.'
    shared = b'\x80\4}\x94(' + b''.join(text(b'k%d' % i) + b'N' for i in range(200_000)) + b'u0' + b'h\0' * 500_000 + b'.'
    pickles = {
        'good': variables(array(shape(3, 3, 3, 2), data=bytes(216)), array(shape(2), data=bytes(8))),
        'system': variables(command), 'system-first': b'\x80\4' + command + b'0' + variables()[2:], 'system-nul': b'\x80\4cos\0x\nsystem\n)R.',
        'escape-name': b'\x80\4c\x1b[31mos\n\xe2\x80\xaesystem\n)R.', 'stack-global': b'\x80\4' + text(b'os') + text(b'system') + b'\x93' + text(b'touch out/pickle-ran') + b'\x85R.',
        'keras-name': b'\x80\4' + call(b'keras.src.backend.os', b'system', text(b'touch out/pickle-ran') + b'\x85') + b'.', 'instance': b'\x80\2(' + text(b'touch out/pickle-ran') + b'ios\nsystem\n.',
        'persistent': b'\x80\2Pos.system\n.', 'extension': b'\x80\2\x82\1.', 'protocol-0': b'cos\nsystem\n(S\'touch out/pickle-ran\'\ntR.', 'protocol-9': b'\x80\x09N.',
        'shape-huge': variables(array(shape(2**40, 2**40))), 'shape-overflow': variables(array(shape(2**32, 2**32, 3))), 'shape-negative': variables(array(shape(-1, 3))),
        'shape-zero-huge': variables(array(shape(0, 2**62, 2**62))), 'shape-million': variables(array(b'(' + b'K\1' * 500_000 + b't')), 'shape-text': variables(array(text(b'3'))),
        'fortran': variables(array(shape(2**20, 0, 7), fortran=b'\x88')), 'code-unknown': variables(array(shape(2), b'V9')), 'code-escape': variables(array(shape(2), b'\x1b[31m' * 100)),
        'data-short': variables(array(shape(54), data=bytes(8))), 'length-4g': b'\x80\4B\xff\xff\xff\xffab.', 'length-2-63': b'\x80\4\x8e' + b'\xff' * 8 + b'.',
        'text-2-63': b'\x80\4\x8d' + b'\xff' * 8 + b'.', 'long-2g': b'\x80\4\x8b\xff\xff\xff\x7f.', 'frame-lie': b'\x80\4\x95' + b'\xff' * 8 + b'N.', 'no-end': b'\x80\4' + b'N' * 100_000,
        'marks': b'\x80\4' + b'(' * 2_000_000 + b'.', 'pops': b'\x80\4N' + b'0' * 10 + b'.', 'memo-missing': b'\x80\4h\x05.', 'memo-far': b'\x80\4Nr\xff\xff\xff\xff.',
        'memo-many': b'\x80\4N' + b'\x94' * 2_000_000 + b'.', 'duplicates': b'\x80\4N' + b'2' * 5_000_000 + b'.', 'nested': nested, 'itself': b'\x80\4]\x94h\0a.',
        'itself-as-state': b'\x80\4' + call(b'numpy', b'dtype', text(b'f4') + b'\x85') + b'\x94h\0b.', 'dictionary-odd': b'\x80\4}(NNNu.', 'dictionary-shared': shared,
        'none': b'\x80\4N.', 'empty': b'', 'keys-odd': object_array(b'}(K\1NNN' + text(b'-1') + b'N' + text(b'9' * 30) + b'Nu'), 'name-long': b'\x80\4c' + b'x' * 1_000_000 + b'\nx\n)R.',
    }

    def make(name, data):
        def build(place):
            inner = raw([('__root__.npy', member(pickled({})), {}), ('layers/conv.npy', member(data), {})])
            alone = place.write('model.npz', inner)
            path = place.write('model.keras', raw(good + [('model.weights.npz', inner, {})]))
            return model_runs(path, hdf5=False)[:11] + [['inspect', '--weights', alone], ['check', alone], ['convert', alone, 'out/x.safetensors'], ['diff', alone, alone]]
        return build

    def archives(name, members, **options):
        def build(place):
            alone = place.write('model.npz', raw(members, **options))
            path = place.write('model.keras', raw(good + [('model.weights.npz', raw(members, **options), {})]))
            return [['inspect', '--weights', alone], ['check', alone], ['inspect', '--weights', path], ['convert', path, 'out/x.h5'], ['check', path]]
        return Case('pickles-' + name, build)

    nothing = member(pickled({}))
    return [Case('pickle-' + name, make(name, data)) for name, data in pickles.items()] + [
        archives('names', [(n + '.npy', nothing, {}) for n in ('__root__', '../../x', '/abs', 'a//b', '.', '\x1b[31m', 'layers/' + '/'.join('a' * 500), '\u202ex')]),
        archives('deep', [('__root__.npy', nothing, {}), ('/'.join('a' * 2000) + '.npy', nothing, {})]),
        archives('twice', [('__root__.npy', nothing, {}), ('__root__.npy', nothing, {})]), archives('crc', [('__root__.npy', nothing, {'crc': 1})]),
        archives('packed', [('__root__.npy', nothing, {'method': 8, 'size': 2**32 - 2})]), archives('no-header', [('__root__.npy', b'x', {})]),
        archives('other-type', [('__root__.npy', nothing.replace(b'|O', b'<f'), {})]),
    ]
