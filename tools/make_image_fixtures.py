#!/usr/bin/env python3
# Makes Tests/Fixtures/images from real Pillow and Keras.
#
# Needs: pip install pillow numpy keras tensorflow   (the versions used last are in Tests/Fixtures/images/README.md)
# Run:   python tools/make_image_fixtures.py
"""Expected numbers are what keras.utils.load_img, Pillow and keras.applications give; nothing here is h5conv's own.

PNG files are written by hand, as Pillow cannot write most of the kinds that it reads (16-bit colours, Adam7, ...).
"""
import io
import os
import struct
import sys
import warnings
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import PIL
from keras.applications.imagenet_utils import preprocess_input
from keras.utils import img_to_array, load_img
from PIL import Image, ImageOps

warnings.simplefilter("ignore")
ROOT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "Tests", "Fixtures", "images")
FILTERS = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]
PILLOW = dict(nearest=0, lanczos=1, bilinear=2, bicubic=3, box=4, hamming=5)
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6


def noise(count, start=0):
    """The same numbers as `noise` in the tests: the high bytes of a linear congruence."""
    return [((i * 1103515245 + 12345) >> 16) & 255 for i in range(start, start + count)]


def write(name, data):
    with open(os.path.join(ROOT, name), "wb") as file:
        file.write(data)


# --- PNG by hand -----------------------------------------------------------------------------------------------------


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(rows, depth):
    """Scan lines, each after its filter byte (0, none)."""
    out = b""
    for row in rows:
        bits = "".join(format(value, f"0{depth}b") for pixel in row for value in pixel)
        bits += "0" * (-len(bits) % 8)
        out += b"\0" + bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
    return out


def png(color, depth, pixels, palette=None, transparency=None, interlaced=False, extra=b""):
    height, width, _ = pixels.shape
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        parts = [pixels[y::dy, x::dx] for x, y, dx, dy in passes]
        lines = b"".join(packed(part.tolist(), depth) for part in parts if part.size)
    else:
        lines = packed(pixels.tolist(), depth)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced))
    data += extra
    if palette is not None:
        data += chunk(b"PLTE", bytes(palette))
    if transparency is not None:
        data += chunk(b"tRNS", bytes(transparency))
    return data + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")


def picture(channels, depth, width=13, height=9):
    values = np.array(noise(width * height * channels * 2)).reshape(height, width, channels, 2)
    wide = values[..., 0] * 256 + values[..., 1]
    return wide >> (16 - depth)


def pngs():
    palette = noise(16 * 3, 500)
    yield "grey1", png(GREY, 1, picture(1, 1))
    yield "grey2", png(GREY, 2, picture(1, 2))
    yield "grey4", png(GREY, 4, picture(1, 4))
    yield "grey8", png(GREY, 8, picture(1, 8))
    yield "grey8-trns", png(GREY, 8, picture(1, 8), transparency=[0, 7])
    yield "grey16", png(GREY, 16, picture(1, 16) // 64)  # 0…1023: some below 256, where Pillow does not clip
    yield "grey-alpha8", png(GREY_ALPHA, 8, picture(2, 8))
    yield "grey-alpha16", png(GREY_ALPHA, 16, picture(2, 16))
    yield "palette1", png(PALETTE, 1, picture(1, 1), palette[:6])
    yield "palette2", png(PALETTE, 2, picture(1, 2), palette[:12])
    yield "palette4", png(PALETTE, 4, picture(1, 4), palette)
    yield "palette8", png(PALETTE, 8, picture(1, 8), noise(768, 900))
    yield "palette8-short", png(PALETTE, 8, picture(1, 8) // 8, palette)  # Indices beyond the palette.
    yield "palette8-trns", png(PALETTE, 8, picture(1, 4), palette, noise(16, 77))
    yield "rgb8", png(RGB, 8, picture(3, 8))
    yield "rgb8-trns", png(RGB, 8, picture(3, 8), transparency=[0, 1, 0, 2, 0, 3])
    yield "rgb16", png(RGB, 16, picture(3, 16))
    yield "rgba8", png(RGBA, 8, picture(4, 8))
    yield "rgba16", png(RGBA, 16, picture(4, 16))
    yield "interlaced-grey1", png(GREY, 1, picture(1, 1), interlaced=True)
    yield "interlaced-palette4", png(PALETTE, 4, picture(1, 4), palette, interlaced=True)
    yield "interlaced-rgb8", png(RGB, 8, picture(3, 8), interlaced=True)
    yield "interlaced-rgba16", png(RGBA, 16, picture(4, 16), interlaced=True)
    yield "one-pixel", png(RGB, 8, picture(3, 8, 1, 1), interlaced=True)
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    yield "gamma-exif", png(RGB, 8, picture(3, 8), extra=chunk(b"gAMA", struct.pack(">I", 100000)) + chunk(b"eXIf", exif))


# --- JPEG ------------------------------------------------------------------------------------------------------------


def smooth(channels, width=37, height=21):
    y, x = np.mgrid[0:height, 0:width]
    planes = [(128 + 100 * np.sin(x / (3 + c) + y / 5 + c) + (x * y * (c + 1)) % 23).clip(0, 255) for c in range(channels)]
    return np.stack(planes, -1).astype(np.uint8)


def jpeg(mode, **options):
    array = smooth(len(mode)) if mode != "L" else smooth(1)[..., 0]
    out = io.BytesIO()
    Image.fromarray(array, mode).save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def adobe(data, transform):
    """The JPEG with another colour transform in its Adobe segment; None removes the segment."""
    start = data.index(b"\xff\xee\x00\x0eAdobe")
    if transform is None:
        return data[:start] + data[start + 16 :]
    return data[: start + 15] + bytes([transform]) + data[start + 16 :]


def jpegs():
    yield "grey", jpeg("L")
    yield "ycc-444", jpeg("RGB", subsampling=0)
    yield "ycc-422", jpeg("RGB", subsampling=1)
    yield "ycc-420", jpeg("RGB", subsampling=2)
    yield "progressive", jpeg("RGB", subsampling=2, progressive=True)
    yield "restarts", jpeg("RGB", subsampling=2, restart_marker_blocks=1)
    yield "rgb", jpeg("RGB", keep_rgb=True)
    yield "cmyk", jpeg("CMYK")
    yield "cmyk-plain", adobe(jpeg("CMYK"), None)
    yield "ycck", adobe(jpeg("CMYK"), 2)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield f"exif{orientation}", jpeg("RGB", subsampling=0, exif=exif)


# --- Tables ----------------------------------------------------------------------------------------------------------


def hexed(image):
    return np.asarray(image, np.uint8).tobytes().hex()


def decoded():
    """Lines: file, Pillow's mode, width, height, RGB samples, grey samples or `-`."""
    for suffix, files in (("png", pngs()), ("jpg", jpegs())):
        for name, data in files:
            name = f"{name}.{suffix}"
            write(name, data)
            path = os.path.join(ROOT, name)
            with Image.open(path) as image:
                mode, width, height = image.mode, *image.size
            grey = load_img(path, color_mode="grayscale")
            yield f"{name} {mode} {width} {height} {hexed(load_img(path))} {hexed(grey) if grey.mode == 'L' else '-'}"


def oriented():
    """Lines: file, width, height and RGB samples after ImageOps.exif_transpose."""
    for name in [f"exif{i}.jpg" for i in range(1, 9)] + ["gamma-exif.png"]:
        image = ImageOps.exif_transpose(Image.open(os.path.join(ROOT, name)))
        yield f"{name} {image.width} {image.height} {hexed(image)}"


def source(channels, width, height):
    array = np.array(noise(width * height * channels), np.uint8)
    return Image.fromarray(array.reshape((height, width) if channels == 1 else (height, width, 3)))


def resized_by_keras(image, size, name, keep):
    stored = io.BytesIO()
    image.save(stored, "PNG")
    mode = "grayscale" if image.mode == "L" else "rgb"
    return load_img(stored, mode, (size[1], size[0]), name, keep)


def padded(image, size, name):
    inner = ImageOps.contain(image, size, PILLOW[name])
    if min(inner.size) == 0:  # Nothing would be left of a very thin picture: we keep one pixel.
        inner = image.resize((max(inner.width, 1), max(inner.height, 1)), PILLOW[name])
    outer = Image.new(image.mode, size)
    outer.paste(inner, ((size[0] - inner.width) // 2, (size[1] - inner.height) // 2))
    return outer


def resized():
    """Lines: mode, interpolation, channels, width, height, new width, new height, samples."""
    sizes = [
        (7, 5, 20, 14), (31, 17, 12, 8), (16, 16, 8, 8), (9, 9, 10, 10), (1, 1, 3, 4), (12, 7, 1, 1), (1, 30, 5, 4),
        (30, 1, 4, 5), (3, 90, 6, 10), (40, 20, 40, 9), (40, 20, 13, 20), (53, 29, 16, 24), (97, 61, 17, 19),
    ]  # fmt: skip
    for width, height, *size in sizes:
        for channels in (1, 3):
            image = source(channels, width, height)
            for name in FILTERS:
                for mode, keep in (("stretch", False), ("crop", True)):
                    result = resized_by_keras(image, size, name, keep)
                    yield f"{mode} {name} {channels} {width} {height} {size[0]} {size[1]} {hexed(result)}"
            for name in ("nearest", "bilinear"):
                result = padded(image, tuple(size), name)
                yield f"pad {name} {channels} {width} {height} {size[0]} {size[1]} {hexed(result)}"


def nearest():
    """Lines: source size, first and last target size, FNV-1a hash of the indices for all of them, in order."""
    for count in [*range(1, 33), 60, 100, 224, 299, 331, 333, 480, 640, 719, 768, 1000, 1080, 1333, 2048, 4000, 5000]:
        row = Image.fromarray(np.arange(count, dtype=np.int32)[None, :])
        value = 0xCBF29CE484222325
        for target in range(1, 301):
            for index in np.asarray(row.resize((target, 1), Image.NEAREST))[0].tolist():
                value = ((value ^ index) * 0x100000001B3) % 2**64
        yield f"{count} 1 300 {value:016x}"


def preprocessed():
    """Lines: preprocessing, first|last (channels), float32 bit patterns; of 16 × 16 pixels of noise."""
    last = img_to_array(source(3, 16, 16))
    array = {"last": last, "first": np.ascontiguousarray(last.transpose(2, 0, 1))}

    def numbers(values, order):
        return np.array(values, np.float32).reshape((-1,) if order == "last" else (-1, 1, 1))

    def custom(mean, std):
        return lambda x, order: (x - numbers(mean, order)) / numbers(std, order)

    def keras_mode(mode):
        return lambda x, order: preprocess_input(x, data_format=f"channels_{order}", mode=mode)

    formulas = {
        "none": lambda x, order: x,
        "rescale": lambda x, order: x / 255.0,
        "tf": keras_mode("tf"),
        "caffe": keras_mode("caffe"),
        "torch": keras_mode("torch"),
        "mean:120,110.5,100,std:60,57.1,-3": custom([120, 110.5, 100], [60, 57.1, -3]),
        "mean:127.5,std:127.5": custom([127.5], [127.5]),
    }
    for name, formula in formulas.items():
        for order in ("last", "first"):
            result = formula(array[order].copy(), order)
            assert result.dtype == np.float32
            yield f"{name} {order} {np.ascontiguousarray(result).astype('>f4').tobytes().hex()}"


def damaged():
    """Files that must be refused."""
    whole_png, whole_jpeg = png(RGB, 8, picture(3, 8)), jpeg("RGB", subsampling=2)
    write("truncated.png", whole_png[:-60])
    write("truncated.jpg", whole_jpeg[: len(whole_jpeg) * 2 // 3])
    data = whole_png.index(b"IDAT") + 20
    write("bad-data.png", whole_png[:data] + bytes([whole_png[data] ^ 1]) + whole_png[data + 1 :])
    write("bad-crc.png", whole_png[:-13] + bytes([whole_png[-13] ^ 1]) + whole_png[-12:])
    comment = chunk(b"tEXt", b"Comment\0hello")
    write("bad-crc-text.png", whole_png[:33] + comment[:-1] + b"?" + whole_png[33:])
    write("bomb.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 100000, 100000, 8, 2, 0, 0, 0)))
    frame = whole_jpeg.index(b"\xff\xc0")
    write("bomb.jpg", whole_jpeg[: frame + 5] + struct.pack(">HH", 65000, 65000) + whole_jpeg[frame + 9 :])
    write("precision12.jpg", whole_jpeg[: frame + 4] + b"\x0c" + whole_jpeg[frame + 5 :])
    write("text.png", b"This is no picture.\n")
    write("empty.png", b"")
    tiny = Image.fromarray(smooth(3, 4, 4))
    for kind in ("GIF", "WEBP", "BMP", "TIFF", "AVIF"):
        out = io.BytesIO()
        tiny.save(out, kind)
        write(f"{kind.lower()}.png", out.getvalue())


def main():
    os.makedirs(ROOT, exist_ok=True)
    tables = dict(decoded=decoded, oriented=oriented, resized=resized, nearest=nearest, preprocessed=preprocessed)
    for name, lines in tables.items():
        write(f"{name}.txt", "".join(line + "\n" for line in lines()).encode())
    damaged()
    versions = f"Python {sys.version.split()[0]}, Pillow {PIL.__version__}, NumPy {np.__version__}, Keras {keras.__version__}"
    notes = "".join(f"- `{name}.txt`. {lines.__doc__}\n" for name, lines in tables.items())
    write("README.md", f"""# Pictures, and what Pillow and Keras make of them

Made by `tools/make_image_fixtures.py` with {versions}.

- `*.png`, `*.jpg`: one tiny picture of every kind. Those that must be refused are named after what is wrong
  with them (`truncated`, `bad-crc`, `bad-data`, `bomb`, `precision12`, `text`, `empty`); `gif.png` and the like are other formats
  under a false name.
{notes}
Samples are hexadecimal bytes in the order (height, width, channels); floats are big-endian bit patterns.
""".encode())


if __name__ == "__main__":
    main()
