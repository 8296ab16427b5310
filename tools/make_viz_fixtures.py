"""Makes what the pictures of feature maps are built from and tested against; never needed at run time.

    python tools/make_viz_fixtures.py font DejaVuSans.ttf   Sources/CFont/dejavu_sans_subset.c
    python tools/make_viz_fixtures.py colormaps             Sources/Visualization/ColorMapData.swift
    python tools/make_viz_fixtures.py fixtures              Tests/Fixtures/viz/*

pip packages: numpy matplotlib fonttools. Run from the repository's root. The versions used are written to
Tests/Fixtures/viz/README.md.
"""

import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

FIXTURES = pathlib.Path("Tests/Fixtures/viz")

# Latin-1, Latin Extended-A, Greek, general punctuation, arrows, and the mathematical signs that captions use.
FONT_RANGES = (
    "U+0020-007E,U+00A0-017F,U+0370-03FF,U+2000-206F,U+20AC,U+2122,U+2190-2199,"
    "U+2202,U+2211,U+2212,U+221A,U+221E,U+2248,U+2260,U+2264,U+2265,U+25A1,U+FFFD"
)

# First 16 hexadecimal digits of SHA-256 over the 768 bytes rint(255 x).
COLORMAPS = {
    "viridis": "18545f7c72a02f02",
    "plasma": "7463ac7565e75449",
    "magma": "f95197e8391d18e2",
    "inferno": "e24e8bd38b972989",
    "cividis": "40881f40490dc08a",
    "turbo": "c4ae9ddb8a7f1356",
    "RdBu_r": "30ef5f031ef17584",
    "coolwarm": "c80051e617dce52a",
    "berlin": "c5ed303e4e92e441",
    "gray": "72432263dbfe17ab",
}


def make_font(source):
    """Subsets the font (hinting and layout tables dropped, the .notdef box kept) and writes it as a C array."""
    with tempfile.TemporaryDirectory() as folder:
        subset = pathlib.Path(folder) / "subset.ttf"
        subprocess.run(
            ["pyftsubset", source, f"--unicodes={FONT_RANGES}", "--notdef-outline", "--no-hinting",
             "--layout-features=", "--drop-tables+=FFTM,GSUB,GPOS,GDEF,kern", f"--output-file={subset}"],
            check=True)
        data = subset.read_bytes()
    assert len(data) <= 80_000, len(data)
    lines = [",".join(map(str, data[i:i + 32])) + "," for i in range(0, len(data), 32)]
    pathlib.Path("Sources/CFont/dejavu_sans_subset.c").write_text(
        "// DejaVu Sans, a subset; licence in LICENSE-DejaVu.txt. Made by `tools/make_viz_fixtures.py font`.\n"
        '#include "CFont.h"\n\n'
        "static const unsigned char font[] = {\n" + "\n".join(lines) + "\n};\n\n"
        "const unsigned char *h5conv_font_bytes(void) { return font; }\n\n"
        "long h5conv_font_size(void) { return (long)sizeof font; }\n")


def make_colormaps():
    """Writes the colour maps as hexadecimal string literals: as arrays they would compile slowly."""
    import matplotlib
    import numpy as np

    out = ["// The colour maps, 256 × RRGGBB each; credits in COLORMAPS-NOTICE.md.",
           "// Made by `tools/make_viz_fixtures.py colormaps`.", "", "extension ColorMap {"]
    for name, digest in COLORMAPS.items():
        colors = np.rint(matplotlib.colormaps[name](np.arange(256))[:, :3] * 255).astype(np.uint8).tobytes()
        assert hashlib.sha256(colors).hexdigest()[:16] == digest, name
        text = colors.hex()
        case = {"RdBu_r": "rdBuR"}.get(name, name)
        out.append(f'  static let {case}Hex: StaticString = """')
        out += [f"    {text[i:i + 96]}\\" for i in range(0, len(text) - 96, 96)] + [f"    {text[-96:]}"]
        out.append('    """')
        out.append("")
    out[-1] = "}"
    pathlib.Path("Sources/Visualization/ColorMapData.swift").write_text("\n".join(out) + "\n")


# Shapes (height, width, channels) and distributions of the activations that the scales are tested on. They are made from
# whole numbers alike here and in the tests (Activations.swift), so that only what NumPy made of them need be kept.
SHAPES = [
    (1, 1, 3), (1, 500, 2), (500, 1, 2), (2, 3, 5), (3, 5, 7), (7, 7, 24), (13, 10, 4), (14, 14, 33), (56, 56, 5),
    (37, 91, 3), (160, 160, 2), (224, 224, 3), (300, 200, 2),
]
DISTRIBUTIONS = ["relu", "bell", "offset", "tiny", "sparse", "nearly_constant"]


def splitmix64(seed, count):
    """`count` numbers of the generator splitmix64 (Steele, Lea, Flood 2014)."""
    import numpy as np

    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def activations(shape, distribution, seed):
    """Activations of shape (1, height, width, channels), float32, each step rounded once."""
    import numpy as np

    z = splitmix64(seed, int(np.prod(shape)))
    u = (z >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)
    v = ((z >> np.uint64(16)) & np.uint64(0xFFFFFF)).astype(np.float32) / np.float32(1 << 24)
    one = np.float32(1)
    values = {
        "relu": lambda: np.maximum((u + v - one) * np.float32(50), np.float32(0)),
        "bell": lambda: (u + v - one) * np.float32(3),
        "offset": lambda: u * np.float32(0.25) + np.float32(1000),
        "tiny": lambda: u * np.float32(1e-15),
        "sparse": lambda: np.where(u < np.float32(0.03125), v * np.float32(700), np.float32(0)),
        "nearly_constant": lambda: np.where(u < np.float32(0.0625), np.float32(0.1), np.float32(0.1) + v * np.float32(1e-7)),
    }[distribution]()
    return values.astype(np.float32).reshape(1, *shape)


def tutorial(layer_activation, channel):
    """The tutorial's lines, in place, on its strided view of one channel."""
    import numpy as np

    channel_image = layer_activation[0, :, :, channel]
    channel_image -= channel_image.mean()
    channel_image /= channel_image.std()
    channel_image *= 64
    channel_image += 128
    return np.clip(channel_image, 0, 255).astype("uint8")


def matplotlib_indices(values, low, high):
    """Indices into a colour map of 256, as matplotlib chooses them in float64: a map whose red channel tells the index."""
    import numpy as np
    from matplotlib.colors import ListedColormap, Normalize

    red = np.minimum((np.arange(256) + 0.5) / 255, 1)
    counter = ListedColormap(np.stack([red, red * 0, red * 0], axis=1))
    return counter(np.asarray(Normalize(float(low), float(high))(values.astype(np.float64))), bytes=True)[..., 0]


def fnv(data):
    """FNV-1a, 64 bits, in hexadecimal."""
    digest = 0xCBF29CE484222325
    for byte in data:
        digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"


def scale_case(shape, distribution, seed):
    """What NumPy and matplotlib make of one layer; flat channels (one value only) are named and have index 0."""
    import numpy as np

    layer = activations(shape, distribution, seed)[0]
    channels = range(shape[2])
    planes = [np.ascontiguousarray(layer[:, :, k]) for k in channels]
    flat = [k for k in channels if planes[k].min() == planes[k].max()]
    zero = np.zeros(shape[:2], np.uint8)
    low, high = float(layer.min()), float(layer.max())
    magnitude = max(abs(low), abs(high))
    percentiles = [float(x) for x in np.percentile(layer.astype(np.float64), [1, 99])]
    robust = percentiles if percentiles[0] < percentiles[1] else [low, high]
    copy = layer[None].copy()
    zscore = [zero if k in flat else tutorial(copy, k) for k in channels]
    # The strided view and a contiguous copy of the channel have to agree, or "the tutorial's bytes" means nothing.
    again = [zero if k in flat else tutorial(planes[k].copy()[None, :, :, None], 0) for k in channels]
    assert all((a == b).all() for a, b in zip(zscore, again))

    def linear(low, high):
        return [matplotlib_indices(plane, low, high) if low < high else zero for plane in planes]

    def signed(plane):
        x = 0.5 + (plane.astype(np.float64) / (2 * magnitude) if magnitude else np.zeros(shape[:2]))
        return np.clip(np.floor(x * 256), 0, 255).astype(np.uint8)

    scales = {
        "zscore": zscore,
        "channel": [zero if k in flat else matplotlib_indices(planes[k], planes[k].min(), planes[k].max())
                    for k in channels],
        "layer": linear(min(low, 0) if low < 0 else 0, high),
        "signed": [signed(plane) for plane in planes],
        "robust": linear(*robust),
        "raw:-0.5,20.25": linear(-0.5, 20.25),
    }
    wide = layer.astype(np.float64)
    return {
        "height": shape[0], "width": shape[1], "channels": shape[2], "distribution": distribution, "seed": seed,
        "flat": flat, "min": low, "max": high, "mean": float(wide.mean()), "std": float(wide.std()),
        "zero_fraction": float((layer == 0).mean()), "robust": robust,
        "digests": {name: fnv(np.stack(images).tobytes()) for name, images in scales.items()},
    }


def tutorial_grid():
    """The tutorial's picture of 32 channels, 16 to a row, without its resampling: the array handed to imshow."""
    import numpy as np

    layer = activations((6, 6, 32), "relu", 77)
    size, columns = 6, 16
    rows = 32 // columns
    grid = np.zeros((size * rows, columns * size), np.uint8)
    for row in range(rows):
        for column in range(columns):
            grid[row * size:(row + 1) * size, column * size:(column + 1) * size] = tutorial(layer, row * columns + column)
    return {"height": 6, "width": 6, "channels": 32, "distribution": "relu", "seed": 77, "rows": grid.tolist()}


def make_fixtures():
    import matplotlib
    import numpy as np

    FIXTURES.mkdir(parents=True, exist_ok=True)
    cases = [scale_case(shape, distribution, 100 * i + j)
             for i, shape in enumerate(SHAPES) for j, distribution in enumerate(DISTRIBUTIONS)]
    (FIXTURES / "scales.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    (FIXTURES / "tutorial_grid.json").write_text(json.dumps(tutorial_grid()) + "\n")
    (FIXTURES / "colormaps.json").write_text(json.dumps(COLORMAPS, indent=1) + "\n")
    (FIXTURES / "README.md").write_text(f"""# Fixtures of the pictures of feature maps

Made by `python tools/make_viz_fixtures.py fixtures` with Python {sys.version.split()[0]}, NumPy {np.__version__},
matplotlib {matplotlib.__version__}.

- `scales.json`: for layers of many shapes and distributions, what NumPy (the tutorial's z-score) and matplotlib
  (`Normalize` and the choice of an index) make of them: FNV-1a of the indices in the order (channels, height, width),
  and the statistics in float64. The activations are made by splitmix64, here and in the tests alike.
- `tutorial_grid.json`: the array that the tutorial hands to `imshow` for a layer of 32 channels.
- `colormaps.json`: first 16 hexadecimal digits of SHA-256 of the 768 bytes rint(255 x) of each colour map.
""")


if __name__ == "__main__":
    if sys.argv[1:2] == ["font"]:
        make_font(sys.argv[2])
    elif sys.argv[1:2] == ["colormaps"]:
        make_colormaps()
    elif sys.argv[1:2] == ["fixtures"]:
        make_fixtures()
    else:
        sys.exit(__doc__)
