// The tiles of a layer: a canvas for each band of rows, drawn when it comes near the window, and a button over each tile.

const tileSizes = {s: 48, m: 96, l: 192, x: 384};
const tileGap = 2, labelHeight = 15, bandHeight = 900;

/** How a map of this size fills a tile: each activation `up` × `upY` pixels, or the strongest of `down` × `down` one pixel. */
function fitTile(width, height) {
  const target = tileSizes[state.size], side = Math.max(width, height);
  if (side > target) {
    const down = Math.ceil(side / target);
    return {up: 1, upY: 1, down, width: Math.ceil(width / down), height: Math.max(Math.ceil(height / down), 1)};
  }
  const up = Math.max(1, Math.floor(target / side));
  // Sequences are one row high.
  const upY = height === 1 ? Math.max(up, 24) : up;
  return {up, upY, down: 1, width: width * up, height: height * upY};
}

/** Draws a channel into 32-bit pixels. */
function drawTile(pixels, stride, left, top, bytes, maps, channel, fit, table, strength) {
  const {width, height} = maps, base = channel * width * height;
  if (fit.down === 1) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const color = table[bytes[base + y * width + x]];
        for (let v = 0; v < fit.upY; v++) {
          const at = (top + y * fit.upY + v) * stride + left + x * fit.up;
          pixels.fill(color, at, at + fit.up);
        }
      }
    }
    return;
  }
  for (let y = 0; y < fit.height; y++) {
    for (let x = 0; x < fit.width; x++) {
      pixels[(top + y) * stride + left + x] = table[strongest(bytes, base, maps, x, y, fit.down, strength)];
    }
  }
}

/** The strongest byte of the square that pixel (x, y) of a reduced tile stands for. */
function strongest(bytes, base, maps, x, y, down, strength) {
  const endY = Math.min((y + 1) * down, maps.height), endX = Math.min((x + 1) * down, maps.width);
  let best = bytes[base + y * down * maps.width + x * down];
  for (let row = y * down; row < endY; row++) {
    for (let column = x * down; column < endX; column++) {
      const byte = bytes[base + row * maps.width + column];
      if (strength[byte] > strength[best]) best = byte;
    }
  }
  return best;
}

/** Draws the difference of a channel in two runs into 32-bit pixels. */
function drawDifference(pixels, stride, left, top, bytes, maps, ones, channel, fit, view) {
  const {width, height} = maps[0], base = channel * width * height;
  const values = ones.map(one => Float64Array.from({length: 256}, (_, byte) => valueOf(one, byte)));
  for (let y = 0; y < fit.height / fit.upY; y++) {
    for (let x = 0; x < fit.width / fit.up; x++) {
      let best = 0;
      const endY = Math.min((y + 1) * fit.down, height), endX = Math.min((x + 1) * fit.down, width);
      for (let row = y * fit.down; row < endY; row++) {
        for (let column = x * fit.down; column < endX; column++) {
          const at = base + row * width + column, difference = values[0][bytes[0][at]] - values[1][bytes[1][at]];
          if (!(Math.abs(difference) <= Math.abs(best))) best = difference;
        }
      }
      const index = Math.min(255, Math.max(0, Math.floor((0.5 + best / (2 * view.difference || 1)) * 256)));
      const color = Number.isFinite(best) ? view.map.words[index] : notFinite;
      for (let v = 0; v < fit.upY; v++) {
        const at = (top + y * fit.upY + v) * stride + left + x * fit.up;
        pixels.fill(color, at, at + fit.up);
      }
    }
  }
}

/** Greatest difference of two runs in a layer, from what the bytes stand for. */
function largestDifference(layer, bytes) {
  const maps = data.runs[0].layers[layer], area = maps.width * maps.height;
  let largest = 0;
  for (let c = 0; c < maps.channels; c++) {
    const values = [0, 1].map(run => { const one = channelOf(run, layer, c); return Float64Array.from({length: 256}, (_, byte) => valueOf(one, byte)); });
    for (let i = c * area; i < (c + 1) * area; i++) {
      const difference = Math.abs(values[0][bytes[0][i]] - values[1][bytes[1][i]]);
      if (difference > largest && difference < Infinity) largest = difference;
    }
  }
  return largest;
}

class Grid {
  constructor(layer, element) {
    this.layer = layer;
    this.element = element;
    this.bands = [];
    this.active = 0;
    element.addEventListener('keydown', event => this.onKey(event));
    element.addEventListener('click', event => { const tile = event.target.closest('.tile'); if (tile) openViewer(this.layer, Number(tile.dataset.channel)); });
    element.addEventListener('mousemove', event => this.onHover(event));
    element.addEventListener('mouseleave', hideTip);
    element.addEventListener('focusin', event => this.onFocus(event));
  }

  /** Arranges the tiles anew for the state and the width; draws nothing yet. */
  arrange() {
    const view = this.view = viewOf(this.layer);
    const maps = data.runs[view.runs[0]].layers[this.layer];
    this.fits = (view.isDifference ? [view.runs[0]] : view.runs).map(run => fitTile(data.runs[run].layers[this.layer].width, data.runs[run].layers[this.layer].height));
    this.fit = this.fits[0];
    // Where each run's part of a tile begins; the last is where a further one would.
    this.offsets = this.fits.reduce((all, fit) => [...all, all[all.length - 1] + fit.width + 1], [0]);
    this.tileWidth = Math.max(this.offsets[this.fits.length] - 1, 30);
    this.tileHeight = Math.max(...this.fits.map(fit => fit.height));
    this.order = this.sorted(view, maps);
    const available = isPrinting ? paperWidth : this.element.clientWidth || 300;
    this.columns = Math.max(1, Math.floor((available + tileGap) / (this.tileWidth + tileGap)));
    this.rowHeight = this.tileHeight + labelHeight + tileGap;
    const rows = Math.ceil(this.order.length / this.columns);
    // On paper a band is not divided, so that a page has room for the next.
    const rowsOfBand = Math.max(1, Math.floor((isPrinting ? 200 : bandHeight) / this.rowHeight));
    for (const band of this.bands) nearWindow.unobserve(band.element);
    this.element.replaceChildren();
    this.bands = [];
    for (let row = 0; row < rows; row += rowsOfBand) {
      const count = Math.min(rowsOfBand, rows - row);
      const element = el('div', {class: 'band', style: {height: `${count * this.rowHeight}px`}});
      const band = {grid: this, element, first: row * this.columns, last: Math.min((row + count) * this.columns, this.order.length), rows: count, isBuilt: false};
      element.band = band;
      this.bands.push(band);
      this.element.append(element);
      nearWindow.observe(element);
    }
    if (!this.order.includes(this.active)) this.active = this.order[0] ?? 0;
    if (!this.order.length) this.element.append(el('p', {class: 'small'}, 'Every channel is flat here.'));
  }

  sorted(view, maps) {
    const ones = Array.from({length: maps.channels}, (_, channel) => view.runs.map(run => channelOf(run, this.layer, channel)));
    let order = [...ones.keys()];
    if (state.live) order = order.filter(channel => ones[channel].some(one => !one.isFlat));
    const keys = {mean: one => one.mean ?? -Infinity, max: one => one.max ?? -Infinity, energy: energyOf};
    const key = keys[state.sort];
    if (key) {
      const best = ones.map(all => Math.max(...all.map(key)));
      order.sort((a, b) => best[b] - best[a] || a - b);
    }
    return order;
  }

  /** Promise of the bytes of all runs shown. */
  load() { return Promise.all(this.view.runs.map(run => bytesOf(run, this.layer))); }

  bytes() {
    const all = this.view.runs.map(run => decoded.get(`${run}-${this.layer}`)?.bytes);
    return all.every(Boolean) ? all : null;
  }

  /** Draws a band and puts buttons over its tiles; nothing when its bytes are not there yet. */
  build(band) {
    const all = this.bytes();
    if (band.isBuilt || !all) return;
    band.isBuilt = true;
    const view = this.view, width = this.columns * (this.tileWidth + tileGap), height = band.rows * this.rowHeight;
    if (view.isDifference && view.difference === undefined) {
      view.difference = largestDifference(this.layer, all);
      cards[this.layer].drawLegend();
    }
    const canvas = el('canvas', {width, height, 'aria-hidden': 'true'});
    const context = canvas.getContext('2d'), image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const tiles = [];
    for (let place = band.first; place < band.last; place++) {
      const channel = this.order[place], at = place - band.first;
      const left = at % this.columns * (this.tileWidth + tileGap), top = Math.floor(at / this.columns) * this.rowHeight;
      this.draw(pixels, width, left, top, all, channel);
      tiles.push({channel, left, top});
    }
    context.putImageData(image, 0, 0);
    if (isPrinting) {
      // Thousands of buttons take a browser minutes to put on paper.
      Object.assign(context, {font: '11px sans-serif', textAlign: 'center', fillStyle: '#333'});
      for (const {channel, left, top} of tiles) context.fillText(this.label(channel), left + this.tileWidth / 2, top + this.tileHeight + 11);
      band.element.replaceChildren(canvas);
      return;
    }
    band.element.replaceChildren(canvas, ...tiles.map(({channel, left, top}) => this.button(channel, left, top)));
  }

  draw(pixels, stride, left, top, all, channel) {
    const view = this.view;
    if (view.isDifference) {
      const ones = view.runs.map(run => channelOf(run, this.layer, channel));
      drawDifference(pixels, stride, left, top, all, view.runs.map(run => data.runs[run].layers[this.layer]), ones, channel, this.fit, view);
      return;
    }
    view.runs.forEach((run, place) => {
      const maps = data.runs[run].layers[this.layer], one = channelOf(run, this.layer, channel);
      const fit = this.fits[place];
      const strength = fit.down > 1 ? strengthTable(one) : null;
      drawTile(pixels, stride, left + this.offsets[place], top, all[place], maps, channel, fit, colorTable(view, run, channel), strength);
    });
  }

  kind(channel) {
    const one = channelOf(this.view.runs[0], this.layer, channel);
    return one.isFlat ? ' flat' : isSparse(one) ? ' sparse' : '';
  }

  label(channel) { return this.tileWidth > 50 ? `${channel}${this.kind(channel)}` : `${channel}${this.kind(channel) === ' flat' ? '·' : ''}`; }

  button(channel, left, top) {
    const one = channelOf(this.view.runs[0], this.layer, channel), kind = this.kind(channel);
    const label = `channel ${channel}${kind}: min ${figures(one.min)}, mean ${figures(one.mean)}, max ${figures(one.max)}`;
    return el('button', {
      class: `tile${one.isFlat ? ' flat' : ''}`, type: 'button', 'data-channel': channel, 'aria-label': label, tabindex: channel === this.active ? 0 : -1,
      style: {left: `${left}px`, top: `${top}px`, width: `${this.tileWidth}px`, height: `${this.tileHeight + labelHeight}px`},
    }, this.label(channel));
  }

  clear(band) {
    if (!band.isBuilt || band.element.contains(document.activeElement)) return;
    band.isBuilt = false;
    const canvas = band.element.querySelector('canvas');
    if (canvas) canvas.width = canvas.height = 0;
    band.element.replaceChildren();
  }

  /** Puts the focus on a channel's tile, drawing it if need be. */
  async focus(channel) {
    await this.load();
    const place = this.order.indexOf(channel), band = this.bands.find(band => place >= band.first && place < band.last);
    if (!band) return;
    this.build(band);
    this.element.querySelector('.tile[tabindex="0"]')?.setAttribute('tabindex', -1);
    this.active = channel;
    const tile = band.element.querySelector(`.tile[data-channel="${channel}"]`);
    tile?.setAttribute('tabindex', 0);
    tile?.focus();
  }

  onKey(event) {
    const place = this.order.indexOf(this.active), last = this.order.length - 1;
    const steps = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns};
    let next = event.key === 'Home' ? 0 : event.key === 'End' ? last : event.key in steps ? place + steps[event.key] : null;
    if (next === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.focus(this.order[Math.min(last, Math.max(0, next))]);
  }

  onFocus(event) {
    const tile = event.target.closest('.tile');
    if (!tile) return;
    this.active = Number(tile.dataset.channel);
    // While a channel is being closed, the address is still the channel's.
    if (state.channel === null && tile.matches(':focus-visible')) update({layer: this.layer});
  }

  /** Which activation of which channel and run is under the pointer. */
  activationAt(event) {
    const tile = event.target.closest('.tile');
    if (!tile) return null;
    // Pixels are drawn on the screen's grid, to which the pointer is counted too.
    const box = tile.getBoundingClientRect(), y = event.clientY - Math.round(box.top);
    let x = event.clientX - Math.round(box.left), part = 0;
    if (!this.view.isDifference) {
      part = Math.max(0, this.offsets.findLastIndex((offset, place) => place < this.fits.length && offset <= x));
      x -= this.offsets[part];
    }
    const run = this.view.runs[part], fit = this.fits[part];
    const column = Math.floor(x / fit.up), row = Math.floor(y / fit.upY);
    const isInside = x >= 0 && column < fit.width / fit.up && row < fit.height / fit.upY;
    return {channel: Number(tile.dataset.channel), run, row, column, fit, isInside};
  }

  onHover(event) {
    const at = this.activationAt(event), all = this.bytes();
    if (!at || !all) return hideTip();
    showTip(event, tipFor(this, at, all));
  }
}

/** Bands are drawn before they come into the window and forgotten when they are far from it. */
const nearWindow = new IntersectionObserver(entries => {
  for (const entry of entries) {
    const band = entry.target.band;
    band.isNear = entry.isIntersecting;
    if (band.isNear) drawSoon(band);
    else band.grid.clear(band);
  }
}, {rootMargin: '600px 0px'});

let drawing = Promise.resolve();

/** Draws the bands that the window shows now, without waiting for the observer. */
function drawVisible() {
  for (const card of cards) {
    for (const band of card.grid.bands) {
      const box = band.element.getBoundingClientRect();
      if (box.bottom < -600 || box.top > innerHeight + 600) continue;
      band.isNear = true;
      drawSoon(band);
    }
  }
}

const nextFrame = () => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));

/** When the observer has told which bands are near, and they are drawn. */
async function settled() {
  await nextFrame();
  await nextFrame();
  await drawing;
}

/** Draws a band when its bytes are decoded; the promise `drawing` ends when all that was asked for is drawn. */
function drawSoon(band) {
  const drawn = band.grid.load().then(() => { if (band.isNear && band.element.isConnected) band.grid.build(band); });
  drawing = Promise.all([drawing, drawn]);
  return drawn;
}
