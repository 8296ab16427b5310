// One channel large: the map, the photo under it, its kernel, its numbers.

const viewer = {layer: 0, channel: 0, row: 0, column: 0, opacity: 0.6};

/** Where an activation lies on the photo: left and top of the map and the size of an activation, in pixels of the photo. */
function placement(layer, run, maps) {
  const {fields} = infoOf(layer, run), size = data.runs[run].input_size;
  if (fields.length === 2 && !fields.some(field => field.whole)) {
    const [y, x] = fields.map(field => ({start: field.start + (field.size - field.stride) / 2, step: field.stride * maps.reduction}));
    return {left: x.start, top: y.start, width: x.step, height: y.step};
  }
  return {left: 0, top: 0, width: size.width / maps.width, height: size.height / maps.height};
}

/** Pixels that a picture in the viewer may be wide and high. */
const roomFor = view => Math.min(view.runs.length > 1 ? 280 : 448, innerWidth - 80);

/** The map of the viewer's channel as a canvas of one pixel for each activation. */
function plainMap(run, bytes) {
  const maps = data.runs[run].layers[viewer.layer], canvas = el('canvas', {width: maps.width, height: maps.height});
  const context = canvas.getContext('2d'), image = context.createImageData(maps.width, maps.height);
  const pixels = new Uint32Array(image.data.buffer), table = colorTable(cards[viewer.layer].grid.view, run, viewer.channel);
  const base = viewer.channel * maps.width * maps.height;
  for (let i = 0; i < pixels.length; i++) pixels[i] = table[bytes[base + i]];
  context.putImageData(image, 0, 0);
  return canvas;
}

/** The difference of the viewer's channel in the first two runs, in the same form. */
function plainDifference(view) {
  const maps = data.runs[view.runs[0]].layers[viewer.layer], canvas = el('canvas', {width: maps.width, height: maps.height});
  const context = canvas.getContext('2d'), image = context.createImageData(maps.width, maps.height);
  const ones = view.runs.map(run => channelOf(run, viewer.layer, viewer.channel));
  view.difference ??= largestDifference(viewer.layer, viewer.all);
  drawDifference(new Uint32Array(image.data.buffer), maps.width, 0, 0, viewer.all, [maps, maps], ones, viewer.channel, {up: 1, upY: 1, down: 1, width: maps.width, height: maps.height}, view);
  context.putImageData(image, 0, 0);
  return canvas;
}

/** The cursor's cell in a run: its map may be of another size than the first run's, to which the cursor belongs. */
function cursorIn(run) {
  const own = data.runs[run].layers[viewer.layer], first = data.runs[viewer.run].layers[viewer.layer];
  return {row: Math.floor((viewer.row + 0.5) * own.height / first.height), column: Math.floor((viewer.column + 0.5) * own.width / first.width)};
}

async function openViewer(layer, channel, {push = true} = {}) {
  const card = cards[layer], view = card.grid.view;
  const all = await Promise.all(view.runs.map(run => bytesOf(run, layer)));
  const infos = [...new Set(view.runs.map(run => infoOf(layer, run)))];
  const kernels = await Promise.all(infos.map(info => kernelOf(info)));
  Object.assign(viewer, {layer, channel, all, kernels, run: view.runs[0]});
  const maps = data.runs[viewer.run].layers[layer], one = channelOf(viewer.run, layer, channel), strength = strengthTable(one);
  let best = 0;
  const base = channel * maps.width * maps.height;
  for (let i = 1; i < maps.width * maps.height; i++) if (strength[all[0][base + i]] > strength[all[0][base + best]]) best = i;
  viewer.row = Math.floor(best / maps.width);
  viewer.column = best % maps.width;
  if (state.layer !== layer || state.channel !== channel) update({layer, channel}, {push});
  drawViewer();
  if (!$('viewer').open) $('viewer').showModal();
  hideTip();
}

function drawViewer() {
  const {layer, channel} = viewer, info = data.layers[layer], view = cards[layer].grid.view;
  const one = channelOf(viewer.run, layer, channel), focused = document.activeElement?.id;
  const title = `${shown(info.name)} / ${channel}`;
  const button = (id, text, label, action) => el('button', {id, type: 'button', 'aria-label': label, on: {click: action}}, text);
  const slider = el('input', {id: 'opacity', type: 'range', min: 0, max: 1, step: 0.05, value: viewer.opacity, on: {input: event => { viewer.opacity = Number(event.target.value); drawOverlay(); }}});
  viewer.mapCanvases = view.runs.map((run, place) => {
    const maps = data.runs[run].layers[layer], plain = plainMap(run, viewer.all[place]);
    const zoom = Math.max(1, Math.floor(roomFor(view) / Math.max(maps.width, maps.height)));
    const canvas = el('canvas', {
      id: `map-${place}`, width: maps.width * zoom, height: maps.height * zoom, tabindex: 0, role: 'img',
      'aria-label': `Map of channel ${channel}, ${maps.height} rows and ${maps.width} columns; arrow keys move the cursor`,
      on: {
        mousemove: event => moveCursor(event), keydown: event => keyInMap(event),
      },
    });
    return {run, canvas, plain, zoom, name: view.runs.length > 1 ? `: ${runName(run)}` : ''};
  });
  if (view.isDifference) {
    const {zoom, canvas} = viewer.mapCanvases[0];
    const difference = el('canvas', {width: canvas.width, height: canvas.height, role: 'img', 'aria-label': 'First less second', on: {mousemove: event => moveCursor(event)}});
    const plain = plainDifference(view);
    viewer.mapCanvases.push({run: view.runs[0], canvas: difference, plain, zoom, name: `: first − second, from −${figures(view.difference, 3)} to ${figures(view.difference, 3)}`});
  }
  viewer.overlay = pictures[viewer.run] ? el('canvas', {id: 'overlay', role: 'img', 'aria-label': 'The map on the photo, and what the activation under the cursor sees'}) : null;
  const figures_ = viewer.mapCanvases.map(({canvas, zoom, name}) => el('figure', {}, canvas, el('figcaption', {}, `The map, each activation ${zoom}×${zoom} pixels${name}`)));
  if (viewer.overlay) {
    figures_.push(el('figure', {}, viewer.overlay, el('figcaption', {}, el('label', {}, 'On the photo, opacity ', slider))));
  }
  const facts = [
    ['Cursor', el('span', {id: 'cursor'})], ['min', figures(one.min, 6)], ['max', figures(one.max, 6)], ['mean', figures(one.mean, 6)], ['std', figures(one.std, 6)], ['zeros', percent(one.zeros)],
    ['energy', `${percent(energyOf(one) / (cards[layer].energy(viewer.run) || 1))} of the layer’s`], ['stored step', one.step ? `${figures(one.step, 3)}, so values are ± ${figures(one.step / 2, 2)}` : 'none, it is flat'],
  ];
  const numbers = el('div', {class: 'numbers'},
    el('dl', {}, ...facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
    el('div', {class: 'histogram'}, histogramOf(channelHistogram(), `Activations of channel ${channel} from its min to its max`), el('div', {class: 'ticks'}, el('span', {}, figures(one.min, 3)), el('span', {}, 'this channel, log count'), el('span', {}, figures(one.max, 3)))),
    ...viewer.kernels.flatMap(kernel => kernelFigures(kernel, channel)),
    el('h3', {}, 'Values around the cursor'), el('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Values around the cursor'}, el('table', {class: 'values', id: 'values'})),
    el('div', {class: 'buttons'}, button('copy-values', 'Copy values as CSV', 'Copy values as CSV', () => copy(mapAsCSV(), 'the values')), button('copy-link', 'Copy link', 'Copy a link to this channel', () => copy(location.href, 'the link'))));
  $('viewer').replaceChildren(
    el('header', {}, el('h2', {id: 'viewer-title'}, title), button('previous', '← previous', 'Previous channel', () => stepChannel(-1)), button('next', 'next →', 'Next channel', () => stepChannel(1)), button('close', 'Close', 'Close', () => $('viewer').close())),
    el('p', {class: 'facts'}, [shown(info.class), fieldText(layer, viewer.run), one.isFlat ? 'flat on this picture' : isSparse(one) ? 'sparse' : ''].filter(Boolean).join(' · ')),
    el('div', {class: 'views'}, el('div', {class: 'pair'}, ...figures_), numbers));
  if (focused && $(focused)) $(focused).focus();
  drawCursor();
}

function channelHistogram() {
  const maps = data.runs[viewer.run].layers[viewer.layer], one = channelOf(viewer.run, viewer.layer, viewer.channel);
  const counts = new Array(64).fill(0), area = maps.width * maps.height, bytes = viewer.all[0];
  for (let i = viewer.channel * area; i < (viewer.channel + 1) * area; i++) if (bytes[i] <= one.levels) counts[bytes[i] >> 2]++;
  return counts;
}

function drawCursor() {
  const {layer, channel, row, column} = viewer, view = cards[layer].grid.view;
  for (const {run, canvas, plain, zoom} of viewer.mapCanvases) {
    const context = canvas.getContext('2d'), {row, column} = cursorIn(run);
    context.imageSmoothingEnabled = false;
    context.drawImage(plain, 0, 0, canvas.width, canvas.height);
    context.lineWidth = 1;
    for (const [grow, color] of [[1.5, '#000'], [0.5, '#ffd54a']]) {
      context.strokeStyle = color;
      context.strokeRect(column * zoom - grow, row * zoom - grow, zoom + 2 * grow, zoom + 2 * grow);
    }
  }
  const maps = data.runs[viewer.run].layers[layer], step = maps.reduction, base = channel * maps.width * maps.height;
  const bytes = view.runs.map((run, place) => {
    const {width, height} = data.runs[run].layers[layer], at = cursorIn(run);
    return viewer.all[place][channel * width * height + at.row * width + at.column];
  });
  const values = view.runs.map((run, place) => valueOf(channelOf(run, layer, channel), bytes[place]));
  const texts = view.runs.map((run, place) => withError(channelOf(run, layer, channel), bytes[place]));
  $('cursor').textContent = `${placeText(row, column, step)}: ${texts.join(' | ')}${view.isDifference ? `, difference ${figures(values[0] - values[1], 5)}` : ''}`;
  const one = channelOf(viewer.run, layer, channel), rows = [];
  for (let y = row - 3; y <= row + 3; y++) {
    const cells = [];
    for (let x = column - 3; x <= column + 3; x++) {
      const isInside = y >= 0 && x >= 0 && y < maps.height && x < maps.width;
      cells.push(el('td', {class: y === row && x === column ? 'here' : null}, isInside ? figures(valueOf(one, viewer.all[0][base + y * maps.width + x]), 3) : ''));
    }
    rows.push(el('tr', {}, ...cells));
  }
  $('values').replaceChildren(el('tbody', {}, ...rows));
  drawOverlay();
}

function drawOverlay() {
  const {layer, row, column} = viewer;
  if (!viewer.overlay) return;
  const maps = data.runs[viewer.run].layers[layer], size = data.runs[viewer.run].input_size;
  const longest = Math.max(size.width, size.height), room = Math.min(448, innerWidth - 80);
  const shownSide = Math.min(room, Math.max(1, Math.floor(room / longest)) * longest);
  drawField(viewer.overlay, viewer.run, shownSide, null);
  const context = viewer.overlay.getContext('2d'), zoom = shownSide / longest, place = placement(layer, viewer.run, maps);
  context.imageSmoothingEnabled = false;
  context.globalAlpha = viewer.opacity;
  context.drawImage(viewer.mapCanvases[0].plain, place.left * zoom, place.top * zoom, maps.width * place.width * zoom, maps.height * place.height * zoom);
  context.globalAlpha = 1;
  const step = maps.reduction, rectangle = fieldOf(layer, viewer.run, row * step + (step >> 1), column * step + (step >> 1));
  if (!rectangle) return;
  for (const [width, color] of [[4, '#000'], [2, '#ffd54a']]) {
    context.lineWidth = width;
    context.strokeStyle = color;
    context.strokeRect(rectangle.x * zoom, rectangle.y * zoom, Math.max(2, rectangle.width * zoom), Math.max(2, rectangle.height * zoom));
  }
}

function moveCursor(event) {
  const box = event.currentTarget.getBoundingClientRect(), maps = data.runs[viewer.run].layers[viewer.layer];
  viewer.column = Math.min(maps.width - 1, Math.max(0, Math.floor((event.clientX - box.left) / box.width * maps.width)));
  viewer.row = Math.min(maps.height - 1, Math.max(0, Math.floor((event.clientY - box.top) / box.height * maps.height)));
  drawCursor();
}

function keyInMap(event) {
  const steps = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}, step = steps[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  event.stopPropagation();
  const maps = data.runs[viewer.run].layers[viewer.layer];
  viewer.row = Math.min(maps.height - 1, Math.max(0, viewer.row + step[0]));
  viewer.column = Math.min(maps.width - 1, Math.max(0, viewer.column + step[1]));
  drawCursor();
  announce($('cursor').textContent);
}

function stepChannel(step) {
  const order = cards[viewer.layer].grid.order, place = order.indexOf(viewer.channel);
  openViewer(viewer.layer, order[(place + step + order.length) % order.length], {push: false});
}

function mapAsCSV() {
  const maps = data.runs[viewer.run].layers[viewer.layer], one = channelOf(viewer.run, viewer.layer, viewer.channel);
  const base = viewer.channel * maps.width * maps.height;
  return rowsAsCSV(Array.from({length: maps.width * maps.height}, (_, at) => valueOf(one, viewer.all[0][base + at])), maps);
}

/** A map's values, a line for each row. */
function rowsAsCSV(values, {width, height}) {
  return Array.from({length: height}, (_, y) => Array.from({length: width}, (_, x) => String(Number(values[y * width + x].toPrecision(7)))).join(',') + '\n').join('');
}

$('viewer').addEventListener('close', () => {
  if (state.channel === null) return;
  update({channel: null});
  cards[viewer.layer].grid.focus(viewer.channel);
});
$('viewer').addEventListener('click', event => { if (event.target === $('viewer')) $('viewer').close(); });
$('viewer').addEventListener('keydown', event => {
  if (event.target.matches('input') || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'ArrowRight' || event.key === 'n') stepChannel(1);
  else if (event.key === 'ArrowLeft' || event.key === 'p') stepChannel(-1);
});
