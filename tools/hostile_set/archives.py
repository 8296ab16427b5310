"""Zip archives: bombs, lies, and names that lead out of the folder."""
import io
import json
import struct
import zipfile
import zlib

from . import tiny
from .case import Case, model_runs


def raw(members, comment=b''):
    """A zip archive of members (name, stored bytes, {field: value}); every field of the headers can be chosen."""
    body, directory = bytearray(), bytearray()
    for name, data, fields in members:
        f = {'method': 0, 'crc': zlib.crc32(data), 'packed': len(data), 'size': len(data), 'flags': 0, 'offset': len(body), 'version': 20,
             'local_name': name, 'attributes': 0, 'extra': b'', **fields}
        name = name if isinstance(name, bytes) else name.encode('utf-8', 'surrogatepass')
        local = f['local_name'] if isinstance(f['local_name'], bytes) else f['local_name'].encode('utf-8', 'surrogatepass')
        if 'offset' not in fields or fields.get('body'):
            body += struct.pack('<4sHHHHHIIIHH', b'PK\3\4', f['version'], f['flags'], f['method'], 0, 33, f['crc'], f['packed'] & 0xffffffff,
                                f['size'] & 0xffffffff, len(local), 0) + local + data
        directory += struct.pack('<4sHHHHHHIIIHHHHHII', b'PK\1\2', f['version'], f['version'], f['flags'], f['method'], 0, 33, f['crc'],
                                 f['packed'] & 0xffffffff, f['size'] & 0xffffffff, len(name), len(f['extra']), 0, 0, 0, f['attributes'],
                                 f['offset'] & 0xffffffff) + name + f['extra']
    end = struct.pack('<4sHHHHIIH', b'PK\5\6', 0, 0, len(members), len(members), len(directory), len(body), len(comment)) + comment
    return bytes(body + directory + end)


def deflated(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def deflated_zeros(size):
    """So many zeros packed, and their checksum; of more than 256 MB a wrong one, which is seen too late to help."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = packer.compress(bytes(1 << 22)) + packer.flush(zlib.Z_FULL_FLUSH)
    crc = zlib.crc32(bytes(size)) if size <= 1 << 28 else 1
    return piece * (size >> 22) + b'\3\0', crc


def cases():
    config, _ = tiny.good()
    good = json.dumps(config).encode()
    version = b'{"keras_version": "3.15.1"}'
    with zipfile.ZipFile(io.BytesIO(tiny.keras(config))) as archive:
        weights = archive.read('model.weights.h5')
    usual = [('metadata.json', version, {}), ('config.json', good, {}), ('model.weights.h5', weights, {})]

    def keras(name, members, **options):
        return Case('zip-' + name, lambda place: model_runs(
            place.write('model.keras', raw(members() if callable(members) else members, **options))))

    def changed(number, **fields):
        return [(n, d, fields if i == number else {}) for i, (n, d, _) in enumerate(usual)]

    def bomb(member, size):
        def members():
            data, crc = deflated_zeros(size)
            return [(n, data, {'method': 8, 'crc': crc, 'size': size}) if n == member else (n, d, f) for n, d, f in usual]
        return members

    def json_bomb(unit, count, end):
        def members():
            data = unit * count + end
            return [('metadata.json', version, {}), ('config.json', deflated(data), {'method': 8, 'crc': zlib.crc32(data), 'size': len(data)})]
        return members

    def overlapping():
        data, crc = deflated_zeros(1 << 26)
        kernel = ('k0.npy', data, {'method': 8, 'crc': crc, 'size': 1 << 26})
        return [kernel] + [(f'k{i}.npy', data, {'method': 8, 'crc': crc, 'size': 1 << 26, 'offset': 0}) for i in range(1, 500)]

    many = [(f'm{i}', b'', {}) for i in range(60_000)]
    names = ['../../escaped', '/absolute', '..\\..\\windows', 'a/../../b', 'con', 'x\0y', 'dir/', '\x1b[31mred', '\u202egnp.exe', 'é' * 3000, '']
    npy = b"\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }".ljust(127) + b'\n' + bytes(8)
    return [
        keras('bomb-config-1g', bomb('config.json', 1 << 30)), keras('bomb-config-200m', bomb('config.json', 200 << 20)),
        keras('bomb-weights-2g', bomb('model.weights.h5', 2 << 30)), keras('bomb-weights-5g', bomb('model.weights.h5', 5 << 30)),
        keras('bomb-metadata', bomb('metadata.json', 1 << 30)),
        keras('bomb-json-lists', json_bomb(b'[],', 1 << 22, b'')), keras('bomb-json-list-closed', json_bomb(b'[[],', 1 << 22, b'')),
        keras('bomb-json-objects', lambda: json_bomb(b'', 0, b'[' + b'{},' * (1 << 23) + b'0]')()),
        keras('bomb-json-numbers', lambda: json_bomb(b'', 0, b'[' + b'1,' * (1 << 24) + b'0]')()),
        keras('bomb-json-keys', lambda: json_bomb(b'', 0, b'{' + b','.join(b'"%d":1' % i for i in range(1 << 20)) + b'}')()),
        keras('overlapping', overlapping), keras('duplicate', usual + [('config.json', good, {})]),
        keras('duplicate-case', usual + [('CONFIG.JSON', b'{}', {}), ('config.json/', b'', {})]),
        keras('size-larger', changed(1, size=10**6)), keras('size-smaller', changed(1, size=10)), keras('size-4g', changed(2, size=2**32 - 2)),
        keras('weights-size-4g-packed', changed(2, size=2**32 - 2, packed=2**32 - 2)),
        keras('deflate-size-4g', changed(2, method=8, size=2**32 - 2)), keras('crc', changed(1, crc=1)), keras('crc-weights', changed(2, crc=1)),
        keras('encrypted', changed(1, flags=1)), keras('encrypted-weights', changed(2, flags=1)), keras('strong', changed(1, flags=0x41)),
        keras('descriptor', changed(1, flags=8)), keras('method-99', changed(1, method=99)), keras('method-12', changed(1, method=12)),
        keras('method-14-weights', changed(2, method=14)), keras('local-name', changed(1, local_name='other.json')),
        keras('offset-beyond', changed(1, offset=10**6)), keras('offset-negative', changed(2, offset=2**32 - 1)),
        keras('offset-64', changed(2, offset=2**32 - 1, extra=struct.pack('<HHQ', 1, 8, 2**63 + 5))),
        keras('symlink', [('config.json', b'/etc/passwd', {'attributes': 0o120777 << 16})] + usual[:1] + usual[2:]),
        keras('names', usual + [(n, b'x', {}) for n in names]), keras('many', usual + many), keras('only-names', [(n, b'x', {}) for n in names]),
        keras('no-config', usual[:1] + usual[2:]), keras('empty-config', changed(1, size=0, packed=0)), keras('nothing', []),
        keras('comment', usual, comment=b'PK\5\6' * 16_000), keras('folder-weights', usual[:2] + [('model.weights.h5/', b'', {})]),
        keras('weights-is-zip', usual[:2] + [('model.weights.h5', raw(usual), {})]),
        keras('weights-is-json', usual[:2] + [('model.weights.h5', good, {})]), keras('pickled-weights', usual[:2] + [('model.weights.npz', raw([
            ('a.npy', b"\x93NUMPY\x01\0v\0{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(127) + b'\n' +
             b"cos\nsystem\n(S'touch out/pickle-ran'\ntR.", {})]), {})]),
        keras('assets-up', usual + [('assets/../../../x', b'x', {}), ('assets/vocabulary.txt', b'x', {})]),
        Case('zip-npz-names', lambda place: model_runs(place.write('model.npz', raw([(n + '.npy', npy, {}) for n in names[:-1]])), hdf5=False)),
        Case('zip-npz-dtype-bomb', lambda place: npz_bomb(place, npy)),
    ]


def npz_bomb(place, npy):
    """An input array of which the directory says 4 GB."""
    data, crc = deflated_zeros(1 << 30)
    path = place.write('inputs.npz', raw([('image.npy', data, {'method': 8, 'crc': crc, 'size': 1 << 30})]))
    lie = place.write('lie.npz', raw([('image.npy', npy, {'method': 8, 'size': 2**32 - 1})]))
    many = place.write('many.npz', raw([(f'i{n}.npy', npy, {}) for n in range(20_000)]))
    from .mutations import picture_model
    return [['predict', picture_model(), path], ['predict', picture_model(), lie], ['predict', picture_model(), many],
            ['inspect', '--weights', path], ['inspect', '--weights', lie], ['inspect', '--weights', many]]
