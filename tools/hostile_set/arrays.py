"""Arrays and safetensors files with hostile headers."""
import functools
import json
import struct

import numpy as np

from . import tiny
from .case import Case, contents, fixtures, model_runs
from .mutations import picture_model


@functools.lru_cache(64)
def _safetensors(fixture):
    with np.load(fixture, allow_pickle=False) as source:
        return safetensors({key: source[key].astype('<f4') for key in source.files[:8] if source[key].dtype.kind == 'f'})


def safetensors_of_fixture(rng):
    return _safetensors(rng.choice(fixtures('containers', '.npz', limit=50_000)))


def safetensors(arrays, metadata=None, header=None):
    entries, body = {'__metadata__': metadata} if metadata else {}, b''
    for name, array in arrays.items():
        data = array.tobytes()
        entries[name] = {'dtype': 'F32', 'shape': list(array.shape), 'data_offsets': [len(body), len(body) + len(data)]}
        body += data
    text = (json.dumps(entries) if header is None else header).encode('utf-8', 'surrogatepass')
    return struct.pack('<Q', len(text)) + text + body


def npy(header, data=b'', version=b'\1\0'):
    text = header.encode() if isinstance(header, str) else header
    size = struct.pack('<H' if version[0] == 1 else '<I', len(text))
    return b'\x93NUMPY' + version + size + text + data


def literal(descr="'<f4'", order='False', shape='(1, 8, 8, 3)'):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


def array_cases():
    data = bytes(4 * 192)
    headers = {
        'huge': literal(shape='(1000000000, 1000000000)'), 'overflow': literal(shape='(4294967296, 4294967296, 3)'), 'negative': literal(shape='(-1, 8)'),
        'longest': literal(shape=f'({2**63 - 1},)'), 'longer': literal(shape=f'({2**64},)'), 'many-axes': literal(shape='(' + '1, ' * 5000 + ')'), 'scalar': literal(shape='()'),
        'zero-huge': literal(shape=f'(0, {2**62}, {2**62})'), 'fortran-huge': literal(order='True', shape=f'({2**40}, 0, 5)'), 'object': literal("'|O'"),
        'void': literal("'|V1000000000'"), 'text': literal("'<U1000000000'"), 'record': literal("[('a', '<f4')]"), 'complex': literal("'<c8'"), 'empty-type': literal("''"),
        'float-3': literal("'<f3'"), 'float-16': literal("'<f16'"), 'code': literal(shape="__import__('os').system('touch out/code-ran')"), 'no-shape': "{'descr': '<f4'}",
        'open': "{'descr': '<f4", 'not-utf8': b"{'descr': '\xff\xfe', 'shape': (1,)}", 'empty': '', 'quotes': literal("'" * 1000), 'boolean': literal("'|b1'"),
        'deep': '(' * 60_000,
    }
    made = {name: npy(text, data) for name, text in headers.items()}
    made.update({
        'version-9': npy(literal(), data, b'\x09\0'), 'length-lie': b'\x93NUMPY\1\0\xff\xff' + data, 'length-4g': b'\x93NUMPY\2\0\xff\xff\xff\xff' + data,
        'only-magic': b'\x93NUMPY', 'cut': npy(literal(), data)[:-1], 'nan': npy(literal(), np.full(192, np.nan, '<f4').tobytes()),
        'infinite': npy(literal(), np.full(192, np.inf, '<f4').tobytes()), 'batch-0': npy(literal(shape='(0, 8, 8, 3)')), 'batch-many': npy(
            literal(shape='(500, 8, 8, 3)'), bytes(4 * 192 * 500)),
    })

    def make(content):
        def build(place):
            path, archive = place.write('array.npy', content), None
            import io
            import zipfile
            memory = io.BytesIO()
            with zipfile.ZipFile(memory, 'w') as target:
                target.writestr('image.npy', content)
            archive = place.write('array.npz', memory.getvalue())
            model = picture_model()
            return [['predict', model, path], ['predict', model, archive], ['extract', model, path, '-l', '*', '-o', 'out/x.npz'], ['inspect', '--weights', archive],
                    ['inspect', '--json', archive], ['check', archive], ['convert', archive, 'out/x.h5', '--architecture', model]]
        return build
    return [Case('array-' + name, make(content)) for name, content in made.items()]


def safetensors_cases():
    good = {'conv/kernel': tiny.conv_weights()['kernel:0'], 'conv/bias': np.zeros(2, 'f4')}
    config, _ = tiny.good()
    metadata = {'format': 'h5conv', 'keras_version': '2.15.0', 'model_config': json.dumps(config)}
    whole = safetensors(good, metadata)

    def entry(**fields):
        return safetensors(good, header=json.dumps({'a': {'dtype': 'F32', 'shape': [2], 'data_offsets': [0, 8], **fields}}))
    made = {
        'good': whole, 'length-huge': struct.pack('<Q', 2**64 - 1) + whole[8:], 'length-file': struct.pack('<Q', len(whole)) + whole[8:], 'length-0': bytes(8) + b'{}',
        'offsets-beyond': entry(data_offsets=[0, 10**9], shape=[10**9 // 4]), 'offsets-negative': entry(data_offsets=[-8, 0]), 'offsets-reversed': entry(data_offsets=[8, 0]),
        'offsets-1e18': entry(data_offsets=[10**18, 10**18 + 8]), 'offsets-float': entry(data_offsets=[0.5, 8.5]), 'shape-overflow': entry(shape=[2**62, 2**62]),
        'shape-negative': entry(shape=[-2]), 'shape-float': entry(shape=[2.0]), 'shape-text': entry(shape='2'), 'shape-many': entry(shape=[1] * 100_000 + [2]),
        'dtype-unknown': entry(dtype='F99'), 'dtype-number': entry(dtype=1), 'dtype-long': entry(dtype='\x1b' * 10_000), 'overlap': safetensors(good, header=json.dumps({
            f'a{i}': {'dtype': 'F32', 'shape': [54], 'data_offsets': [0, 216]} for i in range(20_000)})),
        'deep': safetensors(good, header='[' * 100_000), 'duplicate': safetensors(good, header='{"a":{},"a":{}}'), 'list': safetensors(good, header='[]'), 'space': safetensors(
            good, header='{' + ' ' * 5_000_000 + '}'), 'metadata-number': safetensors(good, {'model_config': 7, 'keras_version': []}), 'metadata-deep': safetensors(
            good, {'model_config': '[' * 100_000}), 'metadata-long': safetensors(good, {**metadata, 'x': 'y' * 10_000_000}), 'names': safetensors({
                '../../x': good['conv/bias'], '/abs': good['conv/bias'], '\x1b[31m': good['conv/bias'], 'a' * 10_000: good['conv/bias'], '': good['conv/bias']}),
        'names-nested': safetensors({'/'.join('a' * 2000): good['conv/bias'], 'conv': good['conv/bias'], 'conv/kernel': good['conv/bias']}), 'nan': safetensors(
            {'conv/kernel': good['conv/kernel'] * np.nan, 'conv/bias': good['conv/bias']}, metadata),
    }
    return [Case('safetensors-' + name, lambda place, data=data: model_runs(place.write('model.safetensors', data), hdf5=False)) for name, data in made.items()]


def cases():
    return array_cases() + safetensors_cases()
