"""Makes Tests/Fixtures/pickles: archives as Keras' NpzIOStore writes them, in every protocol, and hostile ones.

    python make_pickle_fixtures.py Tests/Fixtures/pickles        (numpy, ml_dtypes)

Element i of an array is (i − 5)/4, of integers i − 5, of booleans i mod 3 = 0; shapes are (3, 4). The hostile ones would make the file
`h5conv-was-here` if they were run.
"""
import functools
import io
import os
import pickle
import sys
import zipfile

import ml_dtypes
import numpy as np

CANARY = 'touch h5conv-was-here'


def values(kind, shape=(3, 4)):
    count = int(np.prod(shape))
    numbers = np.arange(count) - 5
    kind = np.dtype(kind)
    result = numbers % 3 == 1 if kind.kind == 'b' else numbers if kind.kind in 'iu' else numbers / 4
    return result.astype(kind).reshape(shape)


def variables():
    kinds = ['<f4', '>f4', '<f2', '>f8', '<i8', '>i2', 'u1', '?', ml_dtypes.bfloat16]
    arrays = [values(kind) if kind != 'u1' else values('<i4').clip(0).astype('u1') for kind in kinds]
    arrays += [np.asfortranarray(values('<f4')), values('<f4', (2, 3, 4)), np.float32(0.25), np.zeros((0, 3), 'f4')]
    return {str(number): array for number, array in enumerate(arrays)}


def member(value, protocol):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {'descr': '|O', 'fortran_order': False, 'shape': ()})
    held = np.empty((), object)
    held[()] = value
    return header.getvalue() + (value if isinstance(value, bytes) else pickle.dumps(held, protocol=protocol))


def archive(folder, name, members, protocol=4):
    with zipfile.ZipFile(os.path.join(folder, name + '.npz'), 'w') as file:
        for key, value in dict({'__root__': {}}, **members).items():
            file.writestr(zipfile.ZipInfo(key + '.npy', (1980, 1, 1, 0, 0, 0)), member(value, protocol))


class Calls:
    """Pickled as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for protocol in range(2, 6):
        archive(folder, f'protocol{protocol}', {'layers/dense': variables()}, protocol)
    attack = Calls(os.system, CANARY)
    for protocol in (2, 4):
        archive(folder, f'hostile_system{protocol}', {'layers/dense': attack}, protocol)
    archive(folder, 'hostile_value', {'layers/dense': {'0': values('<f4'), '1': attack}})
    archive(folder, 'hostile_key', {'layers/dense': {attack: values('<f4')}})
    archive(folder, 'hostile_eval', {'layers/dense': {'0': Calls(eval, f'__import__("os").system("{CANARY}")')}})
    archive(folder, 'hostile_getattr', {'layers/dense': {'0': Calls(getattr, np.ndarray, 'tofile')}})
    archive(folder, 'hostile_inst', {'layers/dense': b"\x80\x04(S'" + CANARY.encode() + b"'\nios\nsystem\n."})
    archive(folder, 'hostile_obj', {'layers/dense': b'\x80\x04(cos\nsystem\n\x8c' + bytes([len(CANARY)]) + CANARY.encode() + b'o.'})
    archive(folder, 'hostile_partial', {'layers/dense': {'0': functools.partial(os.system, CANARY)}})


if __name__ == '__main__':
    main()
