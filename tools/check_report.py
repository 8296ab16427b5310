"""The page of `h5conv viz` in a real browser: what it draws, says and does, against the activations that `h5conv extract` gives.

    python3 tools/check_report.py [--program .build/release/h5conv] [--screenshots FOLDER]

Needs Chromium (Debian: apt-get install chromium) and nothing else; without it, says so and passes. What is checked:
the bytes and the pixels of canvases, the numbers under the pointer, keyboard and address, dark mode, phone width, contrast, the tree that
screen readers see, names that are markup, several pictures and models, kernels, thumbnails, explanations,
printing, that nothing is fetched, and what it costs.
"""

import argparse
import array
import base64
import csv
import hashlib
import io
import json
import math
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zipfile

sys.path.insert(0, os.path.dirname(__file__))
import browser  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples"
VGG = SAMPLES / "vgg16_edges_blocks1-3.h5"
CAT, FACE = SAMPLES / "chelsea.png", SAMPLES / "face.png"
HOSTILE = "</script><img src=x onerror=\"document.title='hacked'\">'&"

failures = []
count = 0


def check(truth, what):
    """Counts an expectation."""
    global count
    count += 1
    if not truth:
        failures.append(what)
        print(f"  FAILED: {what}")


def run(*arguments):
    result = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"check-report: {' '.join(map(str, arguments))}: {result.stderr}")


def read_npz(path):
    """Arrays by name: shape and elements, of float32 or float16."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            length = struct.unpack("<H", data[8:10])[0]
            header = data[10:10 + length].decode()
            shape = tuple(int(size) for size in re.search(r"'shape': \(([^)]*)\)", header)[1].replace(",", " ").split())
            body = data[10 + length:]
            elements = array.array("f", struct.unpack(f"<{len(body) // 2}e", body) if "<f2" in header else body)
            arrays[name.removesuffix(".npy")] = (shape, elements)
    return arrays


def write_npy(path, shape, values):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + array.array("f", values).tobytes())


class Layer:
    """A layer's activations and, computed from them here, what the page must hold and draw."""

    def __init__(self, entry):
        (_, self.height, self.width, self.channels), self.values = entry
        self.area = self.height * self.width

    def channel(self, c):
        return self.values[c::self.channels]

    def quantized(self, c):
        """Bytes of a channel, and the least value and the step that they stand for."""
        values = self.channel(c)
        low, high = min(values), max(values)
        if low == high:
            return bytes(self.area), low, 0.0
        scale = 255 / (high - low)
        return bytes(int((value - low) * scale + 0.5) for value in values), low, (high - low) / 255

    def strongest(self, c, row, column, side):
        """The activation farthest from 0 in a square."""
        values = self.channel(c)
        cells = [values[y * self.width + x] for y in range(row * side, min((row + 1) * side, self.height))
                 for x in range(column * side, min((column + 1) * side, self.width))]
        return max(cells, key=abs)


def clipped(x):
    return 0 if not x > 0 else min(255, math.floor(x))


def expected_pixels(layer, c, scale, colors, side, values, boost):
    """The colours of a tile, from the activations: 8-bit values, the scale's rule, the colour map. `values` are those of the scale's range."""
    data, low, step = layer.quantized(c)
    if scale == "zscore":
        own = layer.channel(c)
        mean = struct.unpack("f", struct.pack("f", math.fsum(own) / layer.area))[0]
        std = struct.unpack("f", struct.pack("f", math.sqrt(math.fsum((v - mean) ** 2 for v in own) / layer.area)))[0]
        rule = (lambda v: clipped(64 * ((v - mean) / std) + 128)) if std else (lambda v: 0)
    elif scale == "channel":
        high = low + 255 * step
        rule = (lambda v: clipped((v - low) / (high - low) * 256)) if step else (lambda v: 0)
    else:
        least, greatest = min(map(min, values)), max(map(max, values))
        strongest = max(abs(least), abs(greatest))
        if least < -1e-6 * abs(greatest):
            greatest = max(abs(least), abs(greatest))
            least = -greatest
        else:
            least = min(0, least)
        lift = (strongest / max(abs(low), abs(low + 255 * step))) ** boost
        rule = lambda v: clipped((v * lift - least) / (greatest - least) * 256)
    table = [colors[rule(low + byte * step)] for byte in range(256)]
    strength = [abs(low + byte * step) for byte in range(256)]
    rows, columns = math.ceil(layer.height / side), math.ceil(layer.width / side)
    pixels = []
    for row in range(rows):
        for column in range(columns):
            cells = [data[y * layer.width + x] for y in range(row * side, min((row + 1) * side, layer.height))
                     for x in range(column * side, min((column + 1) * side, layer.width))]
            pixels.append(table[max(cells, key=lambda byte: strength[byte])])
    return columns, rows, pixels


TILE = """(async (layer, channel) => {
  const card = h5conv.cards[layer], grid = card.grid;
  card.element.scrollIntoView();
  await grid.load();
  const place = grid.order.indexOf(channel), band = grid.bands.find(b => place >= b.first && place < b.last);
  band.isNear = true;
  grid.build(band);
  const tile = band.element.querySelector(`.tile[data-channel="${channel}"]`), canvas = band.element.querySelector('canvas');
  const left = parseInt(tile.style.left), top = parseInt(tile.style.top), fit = grid.fit;
  const pixels = canvas.getContext('2d').getImageData(left, top, fit.width, fit.height).data;
  const box = canvas.getBoundingClientRect();
  return {width: fit.width, height: fit.height, up: fit.up, down: fit.down, exact: box.width === canvas.width && box.height === canvas.height, pixels: Array.from(pixels)};
})"""


def check_pixels(page, names, layers, maps):
    """Canvases against colours computed here."""
    for scale, theme, sequential, diverging, boost in [
            ("layer", "light", "viridis", "RdBu_r", 0), ("channel", "light", "viridis", "viridis", 0),
            ("zscore", "light", "viridis", "viridis", 0), ("layer", "dark", "magma", "berlin", 0),
            ("model", "light", "RdBu_r", "RdBu_r", 0), ("layer", "light", "viridis", "RdBu_r", 0.6)]:
        page.open(REPORT, f"#?scale={scale}&theme={theme}&boost={boost}")
        page.evaluate("h5conv.ready")
        for name, channels in [("block3_conv1", (0, 66, 255)), ("block2_conv2", (3,)), ("dsn2", (0,))]:
            layer = layers[name]
            for c in channels:
                tile = page.evaluate(f"{TILE}({names.index(name)}, {c})")
                colors = maps[diverging if name == "dsn2" else sequential]
                ranged = [one.values for one in layers.values()] if scale == "model" else [layer.values]
                columns, rows, pixels = expected_pixels(layer, c, scale, colors, tile["down"], ranged, boost)
                check(tile["exact"], f"{name}: a pixel of the canvas is a pixel of the page")
                check((columns * tile["up"], rows * tile["up"]) == (tile["width"], tile["height"]), f"{name}/{c}: size of the tile")
                wrong, up = 0, tile["up"]
                for y in range(tile["height"]):
                    for x in range(tile["width"]):
                        at = 4 * (y * tile["width"] + x)
                        if tuple(tile["pixels"][at:at + 3]) != pixels[y // up * columns + x // up]:
                            wrong += 1
                check(wrong == 0, f"{name}/{c} under {scale}, {theme}, boost {boost}: {wrong} pixels of other colours")


def check_bytes(page, names, layers):
    """What the page holds, layer by layer: each value within half a step of the activation."""
    page.open(REPORT)
    page.evaluate("h5conv.decoded")
    for place, name in enumerate(names):
        layer = layers[name]
        text = page.evaluate(f"""h5conv.cards[{place}].grid.load().then(all => {{
          let text = ''; for (let i = 0; i < all[0].length; i += 8192) text += String.fromCharCode(...all[0].subarray(i, i + 8192)); return btoa(text); }})""")
        held = base64.b64decode(text)
        check(len(held) == layer.area * layer.channels, f"{name}: number of bytes")
        step = max(1, layer.channels // 8)
        wrong = sum(held[c * layer.area:(c + 1) * layer.area] != layer.quantized(c)[0] for c in range(0, layer.channels, step))
        check(wrong == 0, f"{name}: {wrong} channels are not the activations in 8 bits")


def until(page, expression):
    """Whether the expression becomes true within two seconds."""
    return page.evaluate(f"""new Promise(resolve => {{ const end = Date.now() + 2000;
      const look = () => {expression} ? resolve(true) : Date.now() > end ? resolve(false) : setTimeout(look, 20); look(); }})""")


def number(text):
    return float(text.replace("−", "-"))


def check_pointer(page, names, layers):
    """The number under the pointer against the activation, and the rectangle against the arithmetic of the windows."""
    page.open(REPORT)
    page.evaluate("h5conv.ready")
    for name, c, x, y, field in [("block3_conv1", 66, 40, 12, (24, 4, -10)), ("block1_conv2", 20, 41, 33, (5, 1, -2)), ("dsn2", 0, 20, 20, (14, 2, -6))]:
        place, layer = names.index(name), layers[name]
        tile = page.evaluate(f"{TILE}({place}, {c})")
        page.evaluate(f"""h5conv.cards[{place}].element.querySelector('.tile[data-channel="{c}"]').scrollIntoView({{block: 'center'}})""")
        page.evaluate("h5conv.settled()")
        box = page.evaluate(f"""(() => {{ const tile = h5conv.cards[{place}].element.querySelector('.tile[data-channel="{c}"]');
          const box = tile.getBoundingClientRect(); return [Math.round(box.left), Math.round(box.top)]; }})()""")
        page.move(box[0] + x, box[1] + y)
        text = page.evaluate("document.querySelector('#tip .value')?.textContent ?? ''")
        match = re.fullmatch(r"(\S+) ± (\S+)", text)
        check(match, f"{name}: the pointer shows a value and its error, not '{text}'")
        if not match:
            continue
        row, column = y // tile["up"], x // tile["up"]
        value = layer.strongest(c, row, column, tile["down"])
        error = (max(layer.channel(c)) - min(layer.channel(c))) / 510
        check(abs(number(match[1]) - value) <= error * 1.001 + abs(value) * 1e-4, f"{name}: {text} where the activation is {value}")
        check(abs(number(match[2]) - error) <= error * 0.06, f"{name}: the error {match[2]} is {error}")
        size, stride, start = field
        at = row * tile["down"] + tile["down"] // 2
        first, last = max(0, start + at * stride), min(223, start + at * stride + size - 1)
        shown = page.evaluate("document.querySelector('#tip .field').textContent")
        check(f"y {first}…{last} " in shown, f"{name}: the field '{shown}' has rows {first} to {last}")


def check_keyboard(page):
    """Keys change what is shown and the address; the address alone brings it back."""
    page.open(REPORT)
    page.evaluate("h5conv.ready")
    address = lambda: page.evaluate("location.hash")
    for key, expected in [("s", "scale=channel"), ("c", "map=viridis"), ("o", "sort=mean"), ("+", "size=l"), ("l", "live=1"), ("t", "theme=dark")]:
        page.key(key)
        check(expected in address(), f"key {key}: '{address()}' has {expected}")
    page.key("j")
    check(address().startswith("#block1_conv1?"), f"key j: {address()}")
    page.key("j")
    page.key("j")
    page.key("k")
    check(address().startswith("#block1_conv2?"), f"keys j, j, k: {address()}")
    page.evaluate("h5conv.settled()")
    page.evaluate("h5conv.cards[1].grid.focus(h5conv.cards[1].grid.order[0])")
    order = page.evaluate("h5conv.cards[1].grid.order.slice(0, 3)")
    page.key("ArrowRight")
    page.key("ArrowRight")
    page.key("ArrowLeft")
    check(page.evaluate("document.activeElement.dataset.channel") == str(order[1]), "arrows move among the tiles")
    page.key("Enter")
    check(until(page, "document.getElementById('viewer').open"), "Enter opens the channel")
    link = address()
    check(link.startswith(f"#block1_conv2/{order[1]}?"), f"the channel's link: {link}")
    before = page.evaluate("document.getElementById('viewer-title').textContent")
    page.key("ArrowRight")
    check(until(page, f"document.getElementById('viewer-title').textContent === 'block1_conv2 / {order[2]}'"), "the arrow goes to the next channel")
    page.key("Escape")
    check(until(page, "!document.getElementById('viewer').open && !location.hash.split('?')[0].includes('/')"), "Escape closes")
    check(until(page, f"document.activeElement.dataset.channel === '{order[2]}'"), "the focus is back on the tile")
    page.open(REPORT, link)
    page.evaluate("h5conv.ready")
    state = page.evaluate("[h5conv.state.scale, h5conv.state.map, h5conv.state.sort, h5conv.state.size, h5conv.state.live, h5conv.state.theme, h5conv.state.channel].join()")
    check(state == f"channel,viridis,mean,l,1,dark,{order[1]}", f"the link brings back {state}")
    check(page.evaluate("document.getElementById('viewer').open && document.getElementById('viewer-title').textContent") == before, "the link opens the channel")
    page.open(REPORT, "#no-such-layer/3?scale=weather&boost=x&size=huge")
    page.evaluate("h5conv.ready")
    check(page.evaluate("h5conv.state.scale + h5conv.state.size + h5conv.state.boost") == "layerm0", "a wrong address is no harm")
    check(page.problems() == [], f"keyboard: {page.problems()}")


def check_orders(page, names, layers):
    """Tiles in the order asked for, only live ones, and the statistics as they are sorted and copied."""
    name = "block3_conv1"
    layer, place = layers[name], names.index(name)
    channels = [layer.channel(c) for c in range(layer.channels)]
    keys = {"mean": lambda v: math.fsum(v) / len(v), "max": max, "energy": lambda v: math.fsum(x * x for x in v) / len(v)}
    for sort, key in keys.items():
        page.open(REPORT, f"#?sort={sort}")
        page.evaluate("h5conv.ready")
        weights = [key(values) for values in channels]
        order = page.evaluate(f"h5conv.cards[{place}].grid.order")
        check(sorted(order) == list(range(layer.channels)), f"sorted by {sort}, no channel is lost")
        check(all(weights[a] >= weights[b] - 1e-5 * abs(weights[b]) for a, b in zip(order, order[1:])), f"sorted by {sort}")
        label = page.evaluate(f"{TILE}({place}, {order[0]}).then(() => h5conv.cards[{place}].element.querySelector('.tile').textContent)")
        check(label.split()[0] == str(order[0]), f"sorted by {sort}, a tile is called by its index")
    page.open(REPORT, "#?live=1")
    page.evaluate("h5conv.ready")
    live = [c for c, values in enumerate(channels) if min(values) < max(values)]
    check(page.evaluate(f"h5conv.cards[{place}].grid.order") == live, "only live channels")
    page.open(REPORT)
    page.evaluate("h5conv.ready")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: {writeText: async text => { window.copied = text; }}})")
    press = lambda text: page.evaluate(f"(button => (button.click(), new Promise(resolve => setTimeout(() => resolve(window.copied), 20))))([...document.querySelectorAll('#statistics button')].find(button => button.textContent === '{text}'))")
    rows = list(csv.DictReader(io.StringIO(press("Copy layers as CSV"))))
    check([row["layer"] for row in rows] == names and abs(float(rows[place]["max"]) - max(layer.values)) <= 1e-4, "layers as CSV")
    rows = [row for row in csv.DictReader(io.StringIO(press("Copy channels as CSV"))) if row["layer"] == name]
    wrong = sum(abs(float(row["max"]) - max(values)) > 1e-4 or abs(float(row["mean"]) - keys["mean"](values)) > 1e-4 for row, values in zip(rows, channels))
    check(len(rows) == layer.channels and wrong == 0, f"channels as CSV: {wrong} are wrong")
    rows = json.loads(press("Copy layers as JSON"))
    check([row["layer"] for row in rows] == names and abs(rows[place]["min"] - min(layer.values)) <= 1e-4, "layers as JSON")
    for expected in ("descending", "ascending"):
        page.evaluate("[...document.querySelectorAll('#statistics thead button')].find(button => button.textContent === 'max').click()")
        shown = page.evaluate("[...document.querySelectorAll('#statistics tbody tr')].map(row => row.cells[5].textContent)")
        values = [number(text) for text in shown]
        check(values == sorted(values, reverse=expected == "descending"), f"the table sorted by max, {expected}: {shown}")
        check(page.evaluate("document.querySelector('#statistics th[aria-sort]').getAttribute('aria-sort')") == expected, "and it says so")
    check(page.evaluate("document.getAnimations().length === 0 && getComputedStyle(document.documentElement).scrollBehavior === 'auto'"), "nothing moves by itself")
    check(page.problems() == [], f"orders: {page.problems()}")


def luminance(color):
    parts = [float(part) / 255 for part in re.findall(r"[\d.]+", color)[:3]]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def check_look(page):
    """Light and dark, contrast, phone width, print, and the page without its script."""
    for scheme in ("light", "dark"):
        page.media(scheme)
        page.open(REPORT)
        page.evaluate("h5conv.ready")
        back = page.evaluate("getComputedStyle(document.body).backgroundColor")
        check((luminance(back) > 0.5) == (scheme == "light"), f"{scheme}: the background is {back}")
        pairs = page.evaluate("""[...document.querySelectorAll('h1, dt, dd, a, .facts, .small, .tile, button, th, td, figcaption, .fact, label')].filter(e => e.offsetParent).slice(0, 2000).map(e => {
          let back = e; while (back && getComputedStyle(back).backgroundColor === 'rgba(0, 0, 0, 0)') back = back.parentElement;
          return [getComputedStyle(e).color, back ? getComputedStyle(back).backgroundColor : 'rgb(255,255,255)', e.className + e.tagName]; })""")
        worst = {}
        for ink, paper, what in pairs:
            if "color" in ink + paper or "rgba" in paper:
                continue
            a, b = sorted((luminance(ink), luminance(paper)))
            worst[what] = min(worst.get(what, 99), (b + 0.05) / (a + 0.05))
        low = {what: round(ratio, 2) for what, ratio in worst.items() if ratio < 4.5}
        check(len(worst) > 5 and not low, f"{scheme}: contrast below 4.5: {low}")
        shot(page, f"{scheme}.png")
    page.media("light", motion="reduce")
    page.size(390, 844, 2, True)
    page.open(REPORT, "#block3_conv1")
    page.evaluate("h5conv.ready")
    check(page.evaluate("innerWidth === 390 && document.documentElement.scrollWidth <= 390"), "a phone scrolls in one direction only")
    check(page.evaluate("h5conv.cards[4].grid.columns") >= 3, "three tiles side by side on a phone")
    shot(page, "phone.png")
    page.open(REPORT, "#block3_conv1/66")
    page.evaluate("h5conv.ready")
    check(page.evaluate("(d => d.open && d.scrollWidth <= d.clientWidth && d.getBoundingClientRect().left >= 0 && d.getBoundingClientRect().right <= 390)(document.getElementById('viewer'))"), "a channel fits on a phone")
    shot(page, "phone-channel.png")
    page.size(1280, 900)
    page.open(REPORT)
    page.evaluate("h5conv.decoded")
    document = base64.b64decode(page.call("Page.printToPDF", printBackground=True)["data"])
    check(document.startswith(b"%PDF") and document.count(b"/Type /Page\n") + document.count(b"/Type /Page ") + document.count(b"/Type /Page/") >= 3, "the page prints")
    page.open(REPORT, "#?theme=dark")
    page.evaluate("h5conv.decoded")
    before = page.evaluate("h5conv.cards[4].grid.columns")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    paper = page.evaluate("[...document.querySelectorAll('.band canvas')].map(canvas => canvas.width).concat([h5conv.cards[0].grid.view.map.name, h5conv.cards.every(card => card.grid.bands.every(band => band.isBuilt))])")
    check(max(paper[:-2]) <= 702 and paper[-2:] == ["viridis", True], f"on paper all tiles are drawn, within its width and in light colours: {paper[-2:]}")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    check(page.evaluate("h5conv.cards[4].grid.columns + h5conv.cards[0].grid.view.map.name") == f"{before}magma", "afterwards the window is as it was")
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    page.call("Page.navigate", url="file://" + os.path.abspath(REPORT))
    time.sleep(1)
    page.call("Emulation.setScriptExecutionDisabled", value=False)
    check(page.evaluate("document.querySelectorAll('#statistics tbody tr').length") == 10, "without its script the page has the statistics")


def check_accessibility(page, names):
    """The tree that screen readers see."""
    page.open(REPORT)
    page.evaluate("h5conv.ready")
    page.call("Accessibility.enable")
    nodes = [node for node in page.call("Accessibility.getFullAXTree")["nodes"] if not node.get("ignored")]
    page.call("Accessibility.disable")
    named = lambda role: [node.get("name", {}).get("value", "") for node in nodes if node.get("role", {}).get("value") == role]
    headings = named("heading")
    for name in names:
        check(name in headings, f"a heading for {name}")
    for role in ("button", "combobox", "checkbox", "slider", "image", "link", "table", "navigation", "toolbar", "region"):
        unnamed = sum(not name.strip() for name in named(role))
        # A table's own role needs no name.
        check(role == "table" or unnamed == 0, f"{unnamed} of role {role} without a name")
    check(any(re.match(r"channel \d+: min", name) for name in named("button")), "tiles tell their numbers")
    check(page.evaluate("[...document.querySelectorAll('[tabindex=\"0\"].tile')].length") <= len(names), "one stop of the tab key for each grid")


def check_hostile(page, folder):
    """Names that are markup stay text."""
    model, report = folder / "hostile.h5", folder / "hostile.html"
    run("slice", VGG, "--outputs", "block1_conv1,block1_conv2", "--prefix", HOSTILE.replace("/", ""), "-o", model)
    run("viz", model, CAT, "-o", report, "--quiet")
    page.open(report)
    page.evaluate("h5conv.ready")
    heading = page.evaluate("document.querySelector('main h2').textContent")
    check(heading == HOSTILE.replace("/", "") + "block1_conv1", f"the heading is the name: {heading}")
    check(page.evaluate("document.title").endswith("feature maps"), "the title is the page's")
    check(page.evaluate("[...document.images].every(image => image.src.startsWith('data:'))"), "no picture of a stranger")
    page.evaluate("document.querySelector('details').open = true")
    page.evaluate("h5conv.cards[0].grid.focus(3)")
    page.key("Enter")
    check(until(page, "document.querySelector('#viewer h2')?.textContent.endsWith('block1_conv1 / 3')"), "and so in the viewer")
    link = page.evaluate("location.hash")
    page.open(report, link)
    page.evaluate("h5conv.ready")
    check(page.evaluate("document.getElementById('viewer').open"), "its link works")
    check(page.problems() == [], f"hostile names: {page.problems()}")


def check_several(page, folder, maps):
    """Two pictures: side by side on one scale, and their difference."""
    report = folder / "two.html"
    arrays = []
    run("viz", VGG, CAT, FACE, "-l", "block3_conv1,dsn3", "-o", report, "--quiet")
    for picture in (CAT, FACE):
        run("extract", VGG, picture, "-l", "block3_conv1,dsn3", "-o", folder / "one.npz", "--force", "--quiet")
        arrays.append({name: Layer(entry) for name, entry in read_npz(folder / "one.npz").items()})
    page.open(report)
    page.evaluate("h5conv.ready")
    check(page.evaluate("h5conv.state.view") == "all" and page.evaluate("h5conv.cards[0].grid.view.runs.length") == 2, "both are shown")
    greatest = max(max(layers["block3_conv1"].values) for layers in arrays)
    check(abs(page.evaluate("h5conv.cards[0].grid.view.high") - greatest) <= greatest * 1e-6, "on a scale of both")
    shot(page, "two.png")
    page.open(report, "#?view=difference")
    page.evaluate("h5conv.ready")
    tile = page.evaluate(f"{TILE}(0, 66)")
    held = [layers["block3_conv1"].quantized(66) for layers in arrays]
    values = [[low + byte * step for byte in data] for data, low, step in held]
    largest = page.evaluate("h5conv.cards[0].grid.view.difference")
    exact = max(abs(a - b) for a, b in zip(*(layers["block3_conv1"].values for layers in arrays)))
    check(abs(largest - exact) <= exact * 0.01, f"the largest difference {largest} is {exact}")
    up, width = tile["up"], arrays[0]["block3_conv1"].width
    wrong = 0
    for y in range(0, tile["height"], up):
        for x in range(0, tile["width"], up):
            place = y // up * width + x // up
            index = min(255, max(0, math.floor((0.5 + (values[0][place] - values[1][place]) / (2 * largest)) * 256)))
            at = 4 * (y * tile["width"] + x)
            wrong += tuple(tile["pixels"][at:at + 3]) != maps["RdBu_r"][index]
    check(wrong == 0, f"difference: {wrong} activations of other colours")
    check(page.problems() == [], f"several pictures: {page.problems()}")


def check_original(page, folder):
    """The file's picture beside what the network saw, with a box around what was kept of it."""
    report = folder / "cropped.html"
    run("viz", VGG, CAT, "-l", "dsn3", "--resize", "crop", "-o", report, "--quiet")
    page.open(report)
    page.evaluate("h5conv.ready")
    part = page.evaluate("h5conv.data.runs[0].original")
    # load_img(…, keep_aspect_ratio=True) keeps 300×300 of 451×300, from column (451 − 300) // 2 on.
    check((part["width"], part["height"]) == (451, 300) and part["part"] == {"left": 75, "top": 0, "width": 300, "height": 300}, f"the part is {part['part']}")
    boxes = page.evaluate("['img', '.crop'].map(name => (b => [b.left, b.top, b.width, b.height])(document.querySelector(`.original ${name}`).getBoundingClientRect()))")
    (left, top, width, height), box = boxes
    expected = [left + width * 75 / 451, top, width * 300 / 451, height]
    check(all(abs(a - b) < 1 for a, b in zip(box, expected)), f"the box {box} is {expected}")
    check("300×300" in page.evaluate("document.querySelector('.original figcaption').textContent"), "it is told too")
    shot(page, "cropped.png")
    run("viz", VGG, CAT, "-l", "dsn3", "-o", report, "--force", "--quiet")
    page.open(report)
    page.evaluate("h5conv.ready")
    check(page.evaluate("document.querySelector('.original img') !== null && document.querySelector('.crop') === null"), "a stretched picture has no box")
    check(page.problems() == [], f"original: {page.problems()}")


def check_kernels(page, folder, names, maps):
    """The kernel behind a channel: its heaviest slices, against the weights in the file."""
    run("convert", VGG, folder / "weights.npz", "--quiet")
    weights = read_npz(folder / "weights.npz")
    page.open(REPORT)
    page.evaluate("h5conv.ready")
    for name, channel, kept in [("block1_conv1", 7, 3), ("block2_conv2", 100, 32), ("block3_conv1", 66, 32), ("dsn3", 0, 256)]:
        (height, width, inputs, filters), values = weights[f"{name}/kernel"]
        own = [[values[(at * inputs + c) * filters + channel] for at in range(height * width)] for c in range(inputs)]
        largest = max(abs(w) for slice_ in own for w in slice_)
        norms = [math.fsum(w * w for w in slice_) for slice_ in own]
        held = page.evaluate(f"h5conv.kernel({names.index(name)}, {channel})")
        check(len(held["list"]) == kept, f"{name}: {len(held['list'])} slices")
        error = largest / 254 * 1.001 if kept > 3 else 1e-6
        wrong = sum(abs(a - b) > error for one in held["list"] for a, b in zip(one["weights"], own[one["input"]]))
        check(wrong == 0, f"{name}/{channel}: {wrong} weights are not those of the file")
        chosen = [one["input"] for one in held["list"]]
        heaviest = sorted(range(inputs), key=lambda c: -norms[c])[:kept] if kept < inputs else list(range(inputs))
        check(chosen == heaviest, f"{name}/{channel}: the slices {chosen[:5]}… are {heaviest[:5]}…")
        share = math.fsum(norms[c] for c in heaviest) / math.fsum(norms)
        check(abs(held["share"] - share) < 2e-3, f"{name}/{channel}: {held['share']} of the squared weights are {share}")
    page.open(REPORT, "#block3_conv1/66?theme=light")
    page.evaluate("h5conv.ready")
    held = page.evaluate(f"h5conv.kernel({names.index('block3_conv1')}, 66)")
    drawn = page.evaluate("""(canvas => ({width: canvas.width, pixels: [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]}))(
      document.querySelector('#viewer .kernel canvas'))""")
    # Six slices in a row, pixels of the size that fits 260.
    zoom = (260 // 6 - 1) // 3
    wrong = 0
    for place, one in enumerate(held["list"]):
        for at, weight in enumerate(one["weights"]):
            x = place % 6 * (3 * zoom + 1) + at % 3 * zoom + zoom // 2
            y = place // 6 * (3 * zoom + 1) + at // 3 * zoom + zoom // 2
            pixel = 4 * (y * drawn["width"] + x)
            color = maps["RdBu_r"][min(255, math.floor((0.5 + weight / (2 * held["largest"])) * 256))]
            wrong += tuple(drawn["pixels"][pixel:pixel + 3]) != color
    check(wrong == 0, f"the kernel's picture: {wrong} weights of other colours")
    check("32 heaviest" in page.evaluate("document.querySelector('#viewer .kernel figcaption').textContent"), "it says that not all slices are there")
    shot(page, "kernel.png")
    check(page.problems() == [], f"kernels: {page.problems()}")


def check_models(page, folder, maps):
    """Two models on one picture: side by side on one scale, and their difference."""
    report, other = folder / "models.html", folder / "rounded.h5"
    run("convert", VGG, other, "--dtype", "bfloat16", "--quiet")
    run("viz", VGG, CAT, "--compare", other, "-l", "block3_conv1,dsn3", "-o", report, "--quiet")
    arrays = []
    for model in (VGG, other):
        run("extract", model, CAT, "-l", "block3_conv1,dsn3", "-o", folder / "one.npz", "--force", "--quiet")
        arrays.append({name: Layer(entry) for name, entry in read_npz(folder / "one.npz").items()})
    page.open(report)
    page.evaluate("h5conv.ready")
    check(page.evaluate("h5conv.cards.map(card => card.grid.view.runs.length).join()") == "2,2", "both models' layers stand together")
    check(page.evaluate("[...document.querySelectorAll('#control-view option')].slice(2).map(option => option.textContent).join()") == f"{VGG.name},rounded.h5", "the models are told by their files")
    page.open(report, "#dsn3/0?view=difference")
    page.evaluate("h5conv.ready")
    tile = page.evaluate(f"{TILE}(1, 0)")
    held = [layers["dsn3"].quantized(0) for layers in arrays]
    values = [[low + byte * step for byte in data] for data, low, step in held]
    largest = max(abs(a - b) for a, b in zip(*values))
    wrong, up, width = 0, tile["up"], arrays[0]["dsn3"].width
    for y in range(0, tile["height"], up):
        for x in range(0, tile["width"], up):
            place = y // up * width + x // up
            index = min(255, max(0, math.floor((0.5 + (values[0][place] - values[1][place]) / (2 * largest)) * 256)))
            wrong += tuple(tile["pixels"][4 * (y * tile["width"] + x):][:3]) != maps["RdBu_r"][index]
    check(wrong == 0, f"difference of models: {wrong} activations of other colours")
    check(page.evaluate("document.querySelectorAll('#viewer .pair canvas').length") == 4, "large: both maps, their difference, and the photo")
    check(page.evaluate("document.querySelectorAll('#viewer .kernel').length") == 2, "and both kernels")
    shot(page, "models.png")
    # Models that have hardly anything in common, at other sizes.
    run("viz", SAMPLES / "emotion_model.hdf5", FACE, "--compare", SAMPLES / "mlperf_resnet8_cifar10.h5", "-o", report, "--force", "--quiet")
    for address in ("#conv2d_1", "#?view=difference", "#?view=1&sort=energy"):
        page.open(report, address)
        page.evaluate("h5conv.ready")
        page.evaluate("h5conv.decoded")
    check(page.evaluate("new Set(h5conv.data.layers.map(layer => layer.name)).size === h5conv.cards.length"), "every layer has a name of its own")
    check(page.problems() == [], f"models: {page.problems()}")


def check_thumbnails(page, folder):
    """A page that may not be as large shows thumbnails and says so."""
    report = folder / "small.html"
    run("viz", VGG, CAT, "-o", report, "--max-html", "2M", "--quiet")
    check(report.stat().st_size <= 2 << 20, "the page keeps to its size")
    page.open(report)
    page.evaluate("h5conv.decoded")
    notes = page.evaluate("[...document.querySelectorAll('header .note')].map(note => note.textContent).join()")
    check("thumbnails" in notes and "kernels" in notes, f"it says that maps are thumbnails, and that kernels are left out: {notes}")
    check(page.evaluate("document.getElementById('warning').hidden"), "their bytes are right")
    check(page.problems() == [], f"thumbnails: {page.problems()}")


def check_explanations(page, folder, maps):
    """Maps of what counts for a class: their numbers are those that TensorFlow gives, their pixels are the photo under the map."""
    fixtures, name, report = ROOT / "Tests/Fixtures", "tfk_tutorial", folder / "explained.html"
    shape, values = read_npz(fixtures / f"models/{name}.npz")["input:conv2d_1_input"]
    write_npy(folder / "one.npy", (1, *shape[1:]), values[:math.prod(shape[1:])])
    methods = ["gradcam", "hirescam", "layercam", "gradcam++", "eigencam", "scorecam", "saliency"]
    asked = ",".join(method + (":block3_conv1" if "cam" in method else "") for method in methods)
    run("viz", fixtures / f"models/{name}.h5", folder / "one.npy", "-l", "block3_conv1", "--explain", asked, "-o", report, "--quiet")
    page.open(report)
    page.evaluate("h5conv.ready")
    golden = read_npz(fixtures / "gradients/explanations.npz")
    check(page.evaluate("h5conv.explanations.map(one => one.one.method)") == methods, "a map for each method")
    for place, method in enumerate(methods):
        held = page.evaluate(f"h5conv.explanations[{place}].load().then(values => [...values])")
        expected = golden[f"{name}|{method}"][1]
        error = (max(expected) - min(expected)) / 510 + 1e-4 * max(max(map(abs, expected)), 1e-3)
        wrong = sum(abs(a - b) > error for a, b in zip(held, expected)) + abs(len(held) - len(expected))
        check(wrong == 0, f"{method}: {wrong} cells are not as TensorFlow's within half a step")
    check(page.problems() == [], f"explanations of an array: {page.problems()}")

    run("viz", SAMPLES / "emotion_model.hdf5", FACE, "-l", "conv2d_1", "--explain", "gradcam,occlusion", "--class", "happy",
        "--labels", SAMPLES / "emotion_labels.txt", "-o", report, "--force", "--quiet")
    page.open(report)
    page.evaluate("h5conv.ready")
    check("class 3 (happy)" in page.evaluate("document.querySelector('#explanations .facts').textContent"), "the class is told")
    for place, colors, isSigned in [(0, maps["inferno"], False), (1, maps["berlin"], True)]:
        shown = page.evaluate(f"""(async shown => {{
          shown.canvas.scrollIntoView();
          await shown.draw();
          const pixels = (source, width, height) => {{
            const canvas = document.createElement('canvas'), context = canvas.getContext('2d');
            [canvas.width, canvas.height] = [width, height];
            context.imageSmoothingEnabled = false;
            context.drawImage(source, 0, 0, width, height);
            return [...context.getImageData(0, 0, width, height).data];
          }};
          const photo = new Image(), {{width, height}} = shown.canvas;
          photo.src = h5conv.data.runs[0].picture;
          await photo.decode();
          return {{width, height, drawn: pixels(shown.canvas, width, height), photo: pixels(photo, width, height), values: [...shown.values],
            columns: shown.one.map.width, rows: shown.one.map.height, ticks: shown.ticks.textContent, max: shown.one.map.max, min: shown.one.map.min}};
        }})(h5conv.explanations[{place}])""")
        most = max(abs(shown["max"]), abs(shown["min"]))
        low = -most if isSigned else 0
        wrong = 0
        for y in range(shown["height"]):
            for x in range(shown["width"]):
                value = shown["values"][y * shown["rows"] // shown["height"] * shown["columns"] + x * shown["columns"] // shown["width"]]
                color = colors[min(255, max(0, math.floor((value - low) / (most - low) * 256)))]
                at = 4 * (y * shown["width"] + x)
                wrong += any(abs(shown["drawn"][at + c] - (0.45 * shown["photo"][at + c] + 0.55 * color[c])) > 2.5 for c in range(3))
        check(wrong == 0, f"explanation {place}: {wrong} pixels are not 45 % photo and 55 % colour")
        check(shown["width"] >= 192 and str(most)[:3] in shown["ticks"], f"explanation {place}: its bar says {shown['ticks']}")
    shot(page, "explain.png")
    box = page.evaluate("(b => [b.left, b.top, b.width, b.height])(h5conv.explanations[1].canvas.getBoundingClientRect())")
    page.move(box[0] + box[2] * 0.5 + 1, box[1] + box[3] * 0.8)
    value = page.evaluate("(one => one.values[Math.floor(one.one.map.height * 0.8) * one.one.map.width + one.one.map.width / 2])(h5conv.explanations[1])")
    text = page.evaluate("document.querySelector('#tip .value')?.textContent ?? ''")
    check(abs(number(text.split(" ± ")[0] or "nan") - value) <= abs(value) * 1e-4, f"the pointer shows {text} where the map is {value}")
    page.click(box[0] + box[2] * 0.5, box[1] + box[3] * 0.8)
    check(until(page, "document.getElementById('explanation').open"), "a click enlarges a map")
    check("explain=0-1" in page.evaluate("location.hash"), "and its address says so")
    page.evaluate("document.querySelector('#explanation canvas').focus()")
    before = page.evaluate("document.getElementById('explanation-value').textContent")
    page.key("ArrowLeft")
    page.key("ArrowUp")
    check(page.evaluate("document.getElementById('explanation-value').textContent") != before, "arrows move in it")
    page.key("Escape")
    check(until(page, "!document.getElementById('explanation').open && !location.hash.includes('explain')"), "Escape closes it")
    page.size(390, 844, 2, True)
    page.open(report, "#?explain=0-0&smooth=1&cut=1&opacity=0.3")
    page.evaluate("h5conv.ready")
    check(until(page, "[h5conv.state.smooth, h5conv.state.cut, h5conv.state.opacity, document.getElementById('explanation').open].join() === '1,1,0.3,true'"), "the address brings it back")
    check(page.evaluate("document.documentElement.scrollWidth <= 390 && (d => d.scrollWidth <= d.clientWidth)(document.getElementById('explanation'))"), "it fits on a phone")
    shot(page, "explain-phone.png")
    page.size(1280, 900)
    check(page.problems() == [], f"explanations: {page.problems()}")


def check_costs(page):
    """Size, time and memory. Time is what the page's thread works, which other programs do not change much."""
    page.open(REPORT)
    page.evaluate("h5conv.ready")
    metrics = {m["name"]: m["value"] for m in page.call("Performance.getMetrics")["metrics"]}
    page.evaluate("h5conv.decoded")
    heap, size = page.heap(), os.path.getsize(REPORT)
    print(f"  {size / 1e6:.1f} MB, ready after {metrics['TaskDuration']:.2f} s of work, heap {heap / 1e6:.1f} MB")
    check(size <= 10e6, f"{size} bytes")
    check(metrics["TaskDuration"] <= 3, f"ready after {metrics['TaskDuration']} s")
    check(heap <= 200e6, f"a heap of {heap} bytes")
    check(page.problems() == [], f"loading: {page.problems()}")
    for source in ("fetch('data:text/plain,1')", "fetch('https://example.org/')", "Promise.resolve().then(() => eval('1'))"):
        blocked = page.evaluate(f"{source}.then(() => false, () => true)")
        check(blocked, f"the policy forbids {source}")


def shot(page, name):
    if SCREENSHOTS:
        time.sleep(0.5)
        page.evaluate("h5conv.settled()")
        page.screenshot(os.path.join(SCREENSHOTS, name))


def main():
    global PROGRAM, REPORT, SCREENSHOTS
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(ROOT / ".build/release/h5conv"))
    parser.add_argument("--screenshots", help="a folder for pictures to look at")
    options = parser.parse_args()
    PROGRAM, SCREENSHOTS = options.program, options.screenshots
    path = browser.find()
    if not path:
        print("check-report: skipped, since there is no Chromium (Debian: apt-get install chromium)")
        return 0
    start = time.monotonic()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="h5conv-report-"))
    try:
        REPORT = folder / "report.html"
        run("viz", VGG, CAT, "-o", REPORT, "--quiet")
        run("extract", VGG, CAT, "-o", folder / "activations.npz", "--quiet")
        layers = {name: Layer(entry) for name, entry in read_npz(folder / "activations.npz").items()}
        names = list(layers)
        with browser.Browser(path) as page:
            page.open(REPORT)
            page.evaluate("h5conv.ready")
            maps = color_maps(page, json.loads((ROOT / "Tests/Fixtures/viz/colormaps.json").read_text()))
            for title, part in [
                    ("costs", lambda: check_costs(page)), ("bytes", lambda: check_bytes(page, names, layers)),
                    ("pixels", lambda: check_pixels(page, names, layers, maps)), ("pointer", lambda: check_pointer(page, names, layers)),
                    ("keyboard", lambda: check_keyboard(page)), ("orders", lambda: check_orders(page, names, layers)), ("look", lambda: check_look(page)),
                    ("accessibility", lambda: check_accessibility(page, names)), ("hostile names", lambda: check_hostile(page, folder)),
                    ("several pictures", lambda: check_several(page, folder, maps)), ("original", lambda: check_original(page, folder)), ("kernels", lambda: check_kernels(page, folder, names, maps)),
                    ("models", lambda: check_models(page, folder, maps)), ("thumbnails", lambda: check_thumbnails(page, folder)),
                    ("explanations", lambda: check_explanations(page, folder, maps))]:
                began = time.monotonic()
                try:
                    part()
                except browser.Failure as failure:
                    check(False, f"{title}: {failure}")
                print(f"check-report: {title}, {time.monotonic() - began:.1f} s", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"check-report: {count - len(failures)} passed, {len(failures)} failed, {time.monotonic() - start:.0f} s")
    return 1 if failures else 0


def color_maps(page, sums):
    """The colour maps of the page, each of which is matplotlib's by its sum."""
    maps = {}
    for entry in page.evaluate("h5conv.data.colormaps"):
        colors = base64.b64decode(entry["colors"])
        check(hashlib.sha256(colors).hexdigest().startswith(sums[entry["name"]]), f"the colour map {entry['name']}")
        maps[entry["name"]] = [tuple(colors[3 * i:3 * i + 3]) for i in range(256)]
    return maps


if __name__ == "__main__":
    sys.exit(main())
