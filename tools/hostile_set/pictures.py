"""Pictures that are larger, longer or other than they look."""
import struct
import zlib

from .case import FIXTURES, Case
from .mutations import picture_model


def chunk(name, data):
    return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))


def png(width, height, depth=8, color=2, interlace=0, data=None, extra=b'', compression=0, filtering=0):
    header = struct.pack('>IIBBBBB', width, height, depth, color, compression, filtering, interlace)
    body = zlib.compress(bytes(1000), 9) if data is None else data
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + extra + chunk(b'IDAT', body) + chunk(b'IEND', b'')


def rows(width, height, bits=24):
    return zlib.compress(bytes((1 + (width * bits + 7) // 8) * height), 9)


def segment(mark, data):
    return b'\xff' + bytes([mark]) + struct.pack('>H', len(data) + 2) + data


def jpeg_with(fixture, *segments):
    """A JPEG with segments put behind its beginning."""
    data = (FIXTURES / 'images' / fixture).read_bytes()
    return data[:2] + b''.join(segments) + data[2:]


def resized_jpeg(fixture, width, height, components=None):
    data = bytearray((FIXTURES / 'images' / fixture).read_bytes())
    at = max(data.find(b'\xff\xc0'), data.find(b'\xff\xc2'))
    data[at + 5:at + 9] = struct.pack('>HH', height, width)
    if components is not None:
        data[at + 9] = components
    return bytes(data)


def scans(count):
    """A progressive JPEG with its last scan repeated."""
    data = (FIXTURES / 'images' / 'progressive.jpg').read_bytes()
    at = data.rfind(b'\xff\xda')
    return data[:at] + data[at:-2] * count + data[-2:]


def exif(*entries, order=b'II', offset=8, count=None):
    letter = '<' if order == b'II' else '>'
    table = struct.pack(letter + 'H', len(entries) if count is None else count) + b''.join(
        struct.pack(letter + 'HHII', *entry) for entry in entries) + struct.pack(letter + 'I', 8)
    return b'Exif\0\0' + order + struct.pack(letter + 'HI', 42, offset) + table


def cases():
    zeros = zlib.compress(bytes(1 << 26), 9)
    palette = chunk(b'PLTE', bytes(range(6)))
    huge = lambda name: chunk(name, b'x\0\0' + zeros)
    pictures = {
        'bomb-100k.png': png(100_000, 100_000), 'bomb-2g.png': png(2**31 - 1, 2**31 - 1), 'bomb-grey1.png': png(100_000, 100_000, 1, 0),
        'zero.png': png(0, 0), 'zero-height.png': png(5, 0), 'negative.png': png(2**32 - 1, 1), 'wide.png': png(50_000_000, 1, data=rows(1000, 1)),
        'tall.png': png(1, 50_000_000), 'interlaced-tall.png': png(1, 5_000_000, interlace=1, data=rows(1, 5_000_000)),
        'interlaced-large.png': png(9000, 9000, interlace=1, data=rows(9000, 9100)), 'ninety-megapixels.png': png(9500, 9500, 16, 6, data=zeros),
        'icc.png': png(8, 8, data=rows(8, 8), extra=huge(b'iCCP')), 'ztxt.png': png(8, 8, data=rows(8, 8), extra=huge(b'zTXt') * 20),
        'itxt.png': png(8, 8, data=rows(8, 8), extra=chunk(b'iTXt', b'x\0\1\0\0\0' + zeros)), 'text.png': png(8, 8, data=rows(8, 8), extra=chunk(b'tEXt', b'x\0' * 10_000_000)),
        'chunks.png': png(8, 8, data=rows(8, 8), extra=chunk(b'abCd', b'') * 200_000), 'critical.png': png(8, 8, data=rows(8, 8), extra=chunk(b'ABCD', b'')),
        'palettes.png': png(8, 8, 8, 3, data=rows(8, 8, 8), extra=palette * 3), 'no-palette.png': png(8, 8, 8, 3, data=rows(8, 8, 8)),
        'palette-long.png': png(8, 8, 8, 3, data=rows(8, 8, 8), extra=chunk(b'PLTE', bytes(3 * 300))), 'palette-index.png': png(
            8, 8, 8, 3, data=zlib.compress((b'\0' + b'\xff' * 8) * 8), extra=palette),
        'depth-7.png': png(8, 8, 7), 'color-5.png': png(8, 8, 8, 5), 'interlace-9.png': png(8, 8, interlace=9), 'filter-9.png': png(8, 8, filtering=9),
        'compression-9.png': png(8, 8, compression=9), 'row-filter.png': png(8, 8, data=zlib.compress((b'\x77' + bytes(24)) * 8)), 'data-short.png': png(
            8, 8, data=rows(8, 3)), 'data-long.png': png(8, 8, data=zeros), 'no-data.png': png(8, 8, data=b''), 'length.png': png(8, 8)[:33] + b'\xff\xff\xff\xffIDAT',
        'two-headers.png': png(8, 8, extra=png(9, 9)[8:33]), 'animated.png': png(8, 8, data=rows(8, 8), extra=chunk(b'acTL', struct.pack('>II', 2**31, 0)) + chunk(
            b'fcTL', bytes(26))), 'transparency.png': png(8, 8, 8, 3, data=rows(8, 8, 8), extra=palette + chunk(b'tRNS', bytes(1000))),
        'bomb.jpg': resized_jpeg('rgb.jpg', 65535, 65535), 'bomb-progressive.jpg': resized_jpeg('progressive.jpg', 65535, 65535),
        'ninety-progressive.jpg': resized_jpeg('progressive.jpg', 9500, 9500), 'ninety.jpg': resized_jpeg('rgb.jpg', 9500, 9500), 'zero.jpg': resized_jpeg('rgb.jpg', 0, 0),
        'two-components.jpg': resized_jpeg('rgb.jpg', 8, 8, 2), 'no-components.jpg': resized_jpeg('rgb.jpg', 8, 8, 0), 'many-components.jpg': resized_jpeg('rgb.jpg', 8, 8, 255),
        'cmyk-large.jpg': resized_jpeg('cmyk.jpg', 9000, 9000), 'scans-1000.jpg': scans(1000), 'scans-large.jpg': scans(20_000), 'comments.jpg': jpeg_with(
            'rgb.jpg', segment(0xfe, bytes(65_000)) * 500), 'segments.jpg': jpeg_with('rgb.jpg', segment(0xe5, b'') * 300_000),
        'icc.jpg': jpeg_with('rgb.jpg', segment(0xe2, b'ICC_PROFILE\0\1\xff' + bytes(60_000)) * 255), 'exif-loop.jpg': jpeg_with('rgb.jpg', segment(0xe1, exif((0x112, 3, 1, 6)))),
        'exif-far.jpg': jpeg_with('rgb.jpg', segment(0xe1, exif((0x112, 3, 1, 6), offset=2**32 - 1))), 'exif-count.jpg': jpeg_with(
            'rgb.jpg', segment(0xe1, exif((0x112, 3, 2**32 - 1, 2**32 - 1), count=65535))), 'exif-99.jpg': jpeg_with('rgb.jpg', segment(0xe1, exif((0x112, 3, 1, 99)))),
        'exif-float.jpg': jpeg_with('rgb.jpg', segment(0xe1, exif((0x112, 11, 1, 0x7fc00000)))), 'exif-big.jpg': jpeg_with('rgb.jpg', segment(0xe1, exif(
            (0x112, 3, 1, 6 << 16), order=b'MM'))), 'exif-short.jpg': jpeg_with('rgb.jpg', segment(0xe1, b'Exif\0\0II')), 'begin-only.jpg': b'\xff\xd8\xff',
        'restart.jpg': jpeg_with('rgb.jpg', segment(0xdd, b'\0\1')), 'huffman.jpg': jpeg_with('rgb.jpg', segment(0xc4, b'\0' + b'\xff' * 16 + bytes(4000))),
        'quantization.jpg': jpeg_with('rgb.jpg', segment(0xdb, bytes([4]) + bytes(64))), 'arithmetic.jpg': jpeg_with('rgb.jpg', segment(0xcc, b'\0\0')),
        'adobe.jpg': jpeg_with('rgb.jpg', segment(0xee, b'Adobe\0\x64\0\0\0\0\xff')), 'png-named.jpg': png(8, 8, data=rows(8, 8)), 'svg.png': b'<svg xmlns="x" onload="hostile()"/>',
        'gif.png': b'GIF89a\xff\xff\xff\xff\xf7\0\0', 'polyglot.png': png(8, 8, data=rows(8, 8)) + b'PK\3\4' * 100,
    }

    def make(name, data):
        return lambda place: [['predict', picture_model(), place.write(name, data)],
                              ['viz', picture_model(), place.write(name, data), '-o', 'out/viz', '--interpolation', 'lanczos']]

    def folder(place):
        for name in list(pictures)[:12]:
            place.write('pictures/' + name, pictures[name])
        (place.folder / 'pictures' / 'link.png').symlink_to(place.outside / 'secret.txt')
        (place.folder / 'pictures' / 'loop').symlink_to('.')
        return [['predict', picture_model(), 'in/pictures'], ['extract', picture_model(), 'in/pictures', '-o', 'out/x.npz', '--sample', '3']]
    return [Case('picture-' + name, make(name, data)) for name, data in pictures.items()] + [Case('picture-folder', folder)]
