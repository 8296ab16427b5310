"""Fixtures with bytes changed, cut or moved, knowing a little of their structure."""
import io
import struct
import zipfile
import zlib

from .case import Case, contents, fixtures, model_runs, runs_for, some, PICTURE

NUMBERS = [0, 1, 2, 3, 7, 8, 16, 255, 256, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 8,
           2**64 - 1]
SIGNATURES = {
    'h5': [b'TREE', b'HEAP', b'SNOD', b'GCOL', b'OHDR', b'OCHK', b'FRHP', b'FHDB', b'FHIB', b'BTHD', b'BTLF', b'BTIN', b'FADB', b'EAHD', b'\x89HDF',
           # Headers of version 1 begin with: version, zero, messages, one link.
           b'\x01\x00'],
    'zip': [b'PK\x01\x02', b'PK\x03\x04', b'PK\x05\x06', b'PK\x06\x06', b'PK\x06\x07'],
    'png': [b'IHDR', b'IDAT', b'PLTE', b'tRNS', b'IEND', b'iCCP', b'zTXt', b'tEXt', b'eXIf'],
    'jpg': [b'\xff\xc0', b'\xff\xc2', b'\xff\xc4', b'\xff\xda', b'\xff\xdb', b'\xff\xdd', b'\xff\xe0', b'\xff\xe1', b'\xff\xee'],
    'npy': [b'\x93NUMPY', b'descr', b'shape'],
}


def places(data, kind):
    """Where structures begin."""
    found = []
    for mark in SIGNATURES.get(kind, []):
        start = 0
        while len(found) < 5000:
            at = data.find(mark, start)
            if at < 0:
                break
            if mark != b'\x01\x00' or at % 8 == 0 and data[at + 4:at + 8] == b'\x01\x00\x00\x00':
                found.append(at)
            start = at + 1
    return sorted(found)


def change(rng, data, kind):
    """One to a few changes of `data`, at random or in the fields of a structure."""
    data = bytearray(data)
    structures = places(data, kind)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        if not data:
            break
        near = structures and rng.random() < 0.6
        at = min(len(data) - 1, rng.choice(structures) + rng.randrange(0, 96)) if near else rng.randrange(len(data))
        match rng.randrange(9):
            case 0: data[at] ^= 1 << rng.randrange(8)
            case 1: data[at] = rng.choice([0, 1, 0x7f, 0x80, 0xff, rng.randrange(256)])
            case 2:
                for i in range(at, min(len(data), at + rng.randrange(1, 64))):
                    data[i] ^= rng.randrange(256)
            case 3:
                size = rng.randrange(1, 256)
                data[at:at + size] = bytes(min(size, len(data) - at))
            case 4:
                size, source = rng.randrange(1, 512), rng.randrange(len(data))
                piece = data[source:source + size]
                data[at:at + len(piece)] = piece
            case 5: del data[at:at + rng.choice([1, 2, 8, 64])]
            case 6: data[at:at] = bytes(rng.randrange(256) for _ in range(rng.choice([1, 2, 8, 64])))
            case _:
                # A length or an address: a telling number, the file's size, or where another structure (or this one) is.
                width = rng.choice([1, 2, 4, 8])
                targets = NUMBERS + [len(data), len(data) - 1, len(data) + 1, at] + structures[:50]
                order = 'big' if kind in ('png', 'jpg') else 'little'
                begin = (rng.choice(structures) + rng.choice([4, 6, 8, 12, 16, 20, 24, 32, 40]) if near else at)
                begin = min(begin, len(data) - 1)
                data[begin:begin + width] = (rng.choice(targets) % (1 << 8 * width)).to_bytes(width, order)[:len(data) - begin]
    return bytes(data)


def cut(rng, data, kind):
    """`data` up to a structure's boundary, or just beside it."""
    structures = places(data, kind) or [0]
    end = rng.choice(structures) + rng.choice([-1, 0, 1, 4, 8, 16, 24, 48]) if rng.random() < 0.7 else rng.randrange(len(data) + 1)
    return data[:max(0, min(len(data), end))]


def recheck_png(data):
    """The PNG with every chunk's checksum made right, so that more than the checksum is tried."""
    result, at = data[:8], 8
    while at + 12 <= len(data):
        length = struct.unpack('>I', data[at:at + 4])[0]
        body = data[at + 4:at + 8 + length]
        result += data[at:at + 4] + body + struct.pack('>I', zlib.crc32(body))
        at += 12 + length
        if length > len(data):
            break
    return result


def inner(rng, data):
    """A zip archive of which one member is mutated and the checksums are right."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(result, 'w') as target:
        names = source.namelist()
        chosen = rng.choice(names)
        for name in names:
            content = source.read(name)
            if name == chosen:
                kind = 'h5' if name.endswith('.h5') else 'npy' if name.endswith('.npy') else ''
                content = (cut if rng.random() < 0.15 else change)(rng, content, kind)
            target.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    return result.getvalue()


def mutated_hdf5(number):
    def make(place):
        rng = place.rng
        folder = rng.choice(['models', 'models', 'containers', 'hdf5'])
        fixture = rng.choice(fixtures(folder, '.h5', limit=120_000))
        data = (cut if rng.random() < 0.15 else change)(rng, contents(fixture), 'h5')
        return runs_for(place, fixture, place.write('model.h5', data), 3)
    return Case(f'mutated-hdf5-{number}', make)


def mutated_archive(number):
    def make(place):
        rng = place.rng
        fixture = rng.choice(fixtures('containers', '.keras'))
        data = contents(fixture)
        choice = rng.random()
        data = inner(rng, data) if choice < 0.6 else change(rng, data, 'zip') if choice < 0.9 else cut(rng, data, 'zip')
        return runs_for(place, fixture, place.write('model.keras', data), 3)
    return Case(f'mutated-archive-{number}', make)


def mutated_text(number):
    """Architectures, lists of shards."""
    def make(place):
        rng = place.rng
        fixture = rng.choice(fixtures('containers', '.json'))
        path = place.write('model.json', change(rng, contents(fixture), ''))
        return [['inspect', path], ['check', path], ['inspect', '--json', path], ['diff', path, str(fixture)]]
    return Case(f'mutated-text-{number}', make)


def mutated_picture(number):
    def make(place):
        rng = place.rng
        fixture = rng.choice(fixtures('images', '.png', '.jpg'))
        kind = fixture.suffix[1:]
        data = (cut if rng.random() < 0.2 else change)(rng, contents(fixture), kind)
        if kind == 'png' and rng.random() < 0.8:
            data = recheck_png(data)
        path = place.write('picture' + fixture.suffix, data)
        return [['predict', picture_model(), path], ['viz', picture_model(), path, '-o', 'out/viz']]
    return Case(f'mutated-picture-{number}', make)


def picture_model():
    """A small model that takes pictures."""
    from .case import FIXTURES
    return str(FIXTURES / 'containers' / 'k315_image.h5')


def mutated_array(number):
    def make(place):
        rng = place.rng
        fixture = rng.choice(fixtures('arrays', '.npy', '.npz') + fixtures('containers', '.npz', limit=50_000))
        kind = 'npy' if fixture.suffix == '.npy' or rng.random() < 0.3 else 'zip'
        data = contents(fixture)
        data = inner(rng, data) if kind == 'zip' and rng.random() < 0.5 else change(rng, data, kind)
        path = place.write('array' + fixture.suffix, data)
        runs = [['predict', picture_model(), path], ['extract', picture_model(), path, '-l', '*', '-o', 'out/x.npy']]
        if fixture.suffix == '.npz':
            runs += some(rng, model_runs(path, hdf5=False), 2)
        return runs
    return Case(f'mutated-array-{number}', make)


def mutated_safetensors(number):
    def make(place):
        rng = place.rng
        from .arrays import safetensors_of_fixture
        data = safetensors_of_fixture(rng)
        path = place.write('model.safetensors', change(rng, data, ''))
        return some(rng, model_runs(path, hdf5=False), 3)
    return Case(f'mutated-safetensors-{number}', make)


# How often each kind is made, of twenty.
KINDS = ([mutated_hdf5] * 8 + [mutated_archive] * 4 + [mutated_text] * 1 + [mutated_picture] * 3 + [mutated_array] * 2 + [mutated_safetensors])
