// Which places of the photo count for a class: small multiples over the photo, by method and layer.

const methods = {
  'gradcam': ['Grad-CAM', 'feature maps, each weighted by the mean of its gradient; what counts against the class is cut off (Selvaraju et al. 2017)'],
  'hirescam': ['HiResCAM', 'activation times gradient, place by place; what counts against the class is cut off (Draelos and Carin 2020)'],
  'layercam': ['LayerCAM', 'activation times positive gradient, place by place: made for early layers too (Jiang et al. 2021)'],
  'gradcam++': ['Grad-CAM++', 'feature maps, each weighted by its positive gradients (Chattopadhay et al. 2018)'],
  'eigencam': ['Eigen-CAM', 'what the feature maps have most in common, by their first principal direction; of no class (Muhammad and Yeasin 2020)'],
  'scorecam': ['Score-CAM', 'feature maps, each weighted by the score of the picture behind it as a mask (Wang et al. 2020)'],
  'occlusion': ['Occlusion', 'how much the score falls when a patch of the picture’s mean colour covers the place (Zeiler and Fergus 2014)'],
  'saliency': ['Saliency', 'the largest gradient of the pixel’s colours, without its sign (Simonyan et al. 2014)'],
  'smoothgrad': ['SmoothGrad', 'saliency of the mean gradient of noisy copies (Smilkov et al. 2017)'],
  'ig': ['Integrated Gradients', 'input times its mean gradient on the way from zeros: its sum is what the score gains over that of zeros, but for the completeness gap (Sundararajan et al. 2017)'],
};
const explanationSizes = {s: 112, m: 224, l: 336, x: 448};
const explanations = [];

const explanationBytes = (run, number) => bytesOfMaps(`explain-${run}-${number}`, data.runs[run].explanations[number].map);

/** The number that 99 of 100 are not above. */
function cutAt(numbers) {
  const sorted = numbers.filter(Number.isFinite).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? 0;
}

/** A map's range and colours: from 0, or symmetric about it where there are negative numbers. Dark is 0 in both, so that the photo is not whitened there. */
function explanationView(one, values) {
  const {min, max} = one.map, isSigned = min < 0, whole = Math.max(Math.abs(min), Math.abs(max));
  const cut = state.cut ? cutAt(values.map(Math.abs)) : whole, isCut = cut > 0 && cut < whole * 0.999999, most = isCut ? cut : whole;
  const name = state.map !== 'auto' ? state.map : isSigned ? 'berlin' : 'inferno';
  return {low: isSigned ? -most : 0, high: most, isSigned, isCut, map: colorMaps.get(name)};
}

function explanationColor(view, value) {
  if (!Number.isFinite(value)) return notFinite;
  const share = view.low < view.high ? (value - view.low) / (view.high - view.low) : view.isSigned ? 0.5 : 0;
  return view.map.words[Math.min(255, Math.max(0, Math.floor(share * 256)))];
}

/** The value at a place of a picture `width` × `height`, by bilinear interpolation with half-pixel centres. */
function interpolated(values, map, x, y, width, height) {
  const axis = (at, to, from) => {
    const centre = (at + 0.5) * from / to - 0.5, low = Math.floor(centre), inside = cell => Math.min(from - 1, Math.max(0, cell));
    return [inside(low), inside(low + 1), centre - low];
  };
  const [left, right, across] = axis(x, width, map.width), [top, bottom, down] = axis(y, height, map.height);
  const line = row => values[row * map.width + left] + (values[row * map.width + right] - values[row * map.width + left]) * across;
  return line(top) + (line(bottom) - line(top)) * down;
}

/** Places of a run's input, in pixels: what the canvases have. */
function explanationSize(run, side) {
  const size = data.runs[run].input_size, zoom = Math.max(1, Math.floor(side / Math.max(size.width, size.height)));
  return {width: size.width * zoom, height: size.height * zoom};
}

/** A map over the photo. */
class Explanation {
  constructor(run, number, sideOf) {
    Object.assign(this, {run, number, sideOf, one: data.runs[run].explanations[number]});
    this.canvas = el('canvas', {role: 'img', 'aria-label': `${this.name} over the photo, from ${figures(this.one.map.min)} to ${figures(this.one.map.max)}`});
    this.bar = el('canvas', {role: 'img', 'aria-label': 'Colour bar'});
    this.ticks = el('div', {class: 'ticks'});
  }

  get name() { return methods[this.one.method]?.[0] + (this.one.layer === null ? '' : ` of ${shown(this.one.layer)}`); }

  async load() {
    const bytes = await explanationBytes(this.run, this.number), channel = statisticsOf(this.one.map, 0);
    this.values ??= Float64Array.from(bytes, byte => valueOf(channel, byte));
    await pictures[this.run]?.decode();
    return this.values;
  }

  /** Draws when everything is decoded; `isNear` is set by the observer below. */
  async draw() {
    await this.load();
    this.paint();
  }

  paint() {
    const {values} = this;
    if (!values) return;
    const {map} = this.one, view = explanationView(this.one, values), side = this.sideOf();
    const {width, height} = explanationSize(this.run, side), {canvas} = this;
    const cells = state.smooth ? {width, height} : map;
    const layer = el('canvas', {width: cells.width, height: cells.height}), context = layer.getContext('2d'), image = context.createImageData(cells.width, cells.height);
    const pixels = new Uint32Array(image.data.buffer);
    for (let y = 0, at = 0; y < cells.height; y++) {
      for (let x = 0; x < cells.width; x++, at++) pixels[at] = explanationColor(view, state.smooth ? interpolated(values, map, x, y, width, height) : values[at]);
    }
    context.putImageData(image, 0, 0);
    const photo = pictures[this.run];
    Object.assign(canvas, {width, height});
    canvas.style.width = `${Math.min(1, side / Math.max(width, height)) * width}px`;
    const figure = canvas.closest('figure');
    if (figure) figure.style.width = canvas.style.width;
    const target = canvas.getContext('2d');
    target.imageSmoothingEnabled = false;
    if (photo) target.drawImage(photo, 0, 0, width, height);
    target.globalAlpha = photo ? state.opacity : 1;
    // A thumbnail's last cells may stand for fewer than the others.
    const [across, down] = [map.full_width / (map.width * map.reduction), map.full_height / (map.height * map.reduction)];
    target.drawImage(layer, 0, 0, width / (state.smooth ? 1 : across), height / (state.smooth ? 1 : down));
    drawBar(this.bar, view.map);
    this.ticks.replaceChildren(...(view.low < 0 ? [view.low, 0, view.high] : [0, view.high / 2, view.high]).map(value => el('span', {}, (view.isCut && value === view.high ? '≥ ' : view.isCut && value === view.low && value ? '≤ ' : '') + figures(value, 3))));
  }

  /** The cell under a place of the canvas. */
  cellAt(event) {
    const box = this.canvas.getBoundingClientRect(), {map} = this.one, cell = (share, full, count) => Math.min(count - 1, Math.max(0, Math.floor(share * full / map.reduction)));
    return {row: cell((event.clientY - box.top) / box.height, map.full_height, map.height), column: cell((event.clientX - box.left) / box.width, map.full_width, map.width)};
  }

  textAt({row, column}) {
    const {map} = this.one, one = statisticsOf(map, 0), value = this.values[row * map.width + column];
    const error = Number.isFinite(value) && one.step ? ` ± ${figures(one.step / 2, 2)}` : '';
    return [`${figures(value, 5)}${error}`, placeText(row, column, map.reduction)];
  }

  get classText() {
    const {one} = this;
    return one.class === null ? 'no class' : `class ${one.class}${one.label === null ? '' : ` (${shown(one.label)})`}, score before softmax or sigmoid ${figures(one.score)}`;
  }

  get facts() {
    const {one} = this;
    return [
      `${one.map.full_height}×${one.map.full_width} cells` + (one.map.reduction > 1 ? `, thumbnail: the strongest of ${one.map.reduction}×${one.map.reduction}` : ''),
      one.completeness_gap === null ? '' : `completeness gap ${figures(one.completeness_gap * 100, 2)} %`,
      one.map.nan_count + one.map.inf_count ? `${one.map.nan_count} NaN and ${one.map.inf_count} infinite, in magenta` : '', ...one.notes.map(shown),
    ].filter(Boolean);
  }
}

function buildExplanations() {
  const section = $('explanations'), names = [...new Set(data.runs.flatMap(run => run.explanations.map(one => one.method)))];
  if (!names.length) return;
  section.hidden = false;
  const opacity = controls.opacity = el('input', {type: 'range', min: 0, max: 1, step: 0.05, value: state.opacity, on: {input: event => update({opacity: Number(event.target.value)})}});
  const smooth = controls.smooth = el('input', {type: 'checkbox', checked: state.smooth === 1, on: {change: event => update({smooth: event.target.checked ? 1 : 0})}});
  const cut = controls.cut = el('input', {type: 'checkbox', checked: state.cut === 1, on: {change: event => update({cut: event.target.checked ? 1 : 0})}});
  section.append(
    el('h2', {id: 'explanations-title'}, 'Which places count'), el('p', {class: 'facts'}),
    el('p', {class: 'choices'}, el('label', {}, 'Opacity', opacity), el('label', {}, smooth, 'Smooth'), el('label', {}, cut, 'Cut off 1 %'),
      el('span', {class: 'small'}, 'As computed, a square is a cell and the range goes to the largest number; smooth is bilinear between the cells’ middles, cut off lets the range end below the largest hundredth.')));
  const groups = el('div', {class: 'methods'});
  section.append(groups);
  for (const method of names) {
    const all = data.runs.flatMap((run, place) => run.explanations.map((one, number) => new Explanation(place, number, () => explanationSizes[state.size])).filter(shown => shown.one.method === method));
    const layers = [...new Set(all.map(shown => shown.one.layer))];
    all.sort((a, b) => layers.indexOf(a.one.layer) - layers.indexOf(b.one.layer) || a.run - b.run);
    explanations.push(...all);
    const parts = [el('p', {class: 'small'}, methods[method]?.[1] ?? ''), el('div', {class: 'multiples'}, ...all.map(explanationFigure))];
    groups.append(el('div', {class: all.length > 1 ? 'method several' : 'method'}, el('h3', {}, methods[method]?.[0] ?? shown(method)), ...(all.length > 1 ? parts : parts.reverse())));
  }
  // What all have in common is told once.
  const classes = new Set(explanations.filter(shown => shown.one.class !== null).map(shown => shown.classText));
  if (classes.size > 1) for (const shown of explanations) shown.captions.prepend(el('div', {}, shown.classText));
  section.querySelector('.facts').append(...(classes.size === 1 ? ['For ', el('b', {}, ...classes), '. '] : []),
    'Each map lies over the photo in its own range, which the bar under it tells: colours of two maps cannot be compared.');
}

function explanationFigure(shownOne) {
  const {one, run, number} = shownOne, place = one.layer === null ? undefined : names.get(one.layer);
  const title = one.layer === null ? el('b', {}, 'input') : place === undefined ? el('b', {}, shown(one.layer))
    : el('a', {href: linkTo(place, null), on: {click: event => { event.preventDefault(); goTo(place); }}}, shown(one.layer));
  const button = el('button', {
    type: 'button', class: 'bare', 'aria-label': `Enlarge ${shownOne.name}${data.runs.length > 1 ? `, ${runName(run)}` : ''}`, on: {
      click: () => openExplanation(run, number), mouseleave: hideTip,
      mousemove: event => {
        if (!shownOne.values) return;
        const [value, where] = shownOne.textAt(shownOne.cellAt(event));
        showTip(event, [el('div', {}, el('b', {class: 'value'}, value), el('div', {class: 'small'}, where))]);
      },
    },
  }, shownOne.canvas);
  shownOne.captions = el('div', {}, ...shownOne.facts.map(fact => el('div', {}, fact)));
  const figure = el('figure', {}, button, shownOne.bar, shownOne.ticks,
    el('figcaption', {}, title, ...(data.runs.length > 1 ? [`, ${runName(run)}`] : []), shownOne.captions));
  figure.shown = shownOne;
  nearExplanations.observe(figure);
  return figure;
}

const nearExplanations = new IntersectionObserver(entries => {
  for (const {target, isIntersecting} of entries) {
    target.shown.isNear = isIntersecting;
    if (isIntersecting) drawing = Promise.all([drawing, target.shown.draw()]);
  }
}, {rootMargin: '600px 0px'});

/** Draws anew what the window shows. */
function drawExplanations() {
  if (!explanations.length) return;
  controls.opacity.value = state.opacity;
  controls.smooth.checked = state.smooth === 1;
  controls.cut.checked = state.cut === 1;
  for (const shown of [...explanations, enlarged].filter(shown => shown?.isNear)) drawing = Promise.all([drawing, shown.draw()]);
}

// One of them large, beside the photo.
let enlarged = null;

async function openExplanation(run, number, {push = true} = {}) {
  const shownOne = new Explanation(run, number, () => Math.min(560, innerWidth - 80)), id = `${run}-${number}`;
  const {map} = shownOne.one, values = await shownOne.load();
  let best = 0;
  for (let i = 1; i < values.length; i++) if (Math.abs(values[i]) > Math.abs(values[best])) best = i;
  enlarged = Object.assign(shownOne, {isNear: true, row: Math.floor(best / map.width), column: best % map.width});
  const name = el('span', {id: 'explanation-value'}), photo = pictures[run] ? el('canvas', {role: 'img', 'aria-label': 'What the network saw'}) : null;
  const tell = () => { name.textContent = shownOne.textAt(shownOne).reverse().join(': '); drawPhoto(); };
  const drawPhoto = () => {
    if (!photo) return;
    const size = data.runs[run].input_size, cell = [size.width / map.full_width * map.reduction, size.height / map.full_height * map.reduction];
    drawField(photo, run, Math.max(...Object.values(explanationSize(run, shownOne.sideOf()))), {x: shownOne.column * cell[0], y: shownOne.row * cell[1], width: cell[0], height: cell[1]});
  };
  shownOne.canvas.tabIndex = 0;
  shownOne.canvas.addEventListener('mousemove', event => { Object.assign(shownOne, shownOne.cellAt(event)); tell(); });
  shownOne.canvas.addEventListener('keydown', event => {
    const step = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    shownOne.row = Math.min(map.height - 1, Math.max(0, shownOne.row + step[0]));
    shownOne.column = Math.min(map.width - 1, Math.max(0, shownOne.column + step[1]));
    tell();
    announce(name.textContent);
  });
  const button = (text, label, action) => el('button', {type: 'button', 'aria-label': label, on: {click: action}}, text);
  const slider = el('input', {type: 'range', min: 0, max: 1, step: 0.05, value: state.opacity, on: {input: event => update({opacity: Number(event.target.value)})}});
  $('explanation').replaceChildren(
    el('header', {}, el('h2', {id: 'explanation-title'}, shownOne.name), button('Close', 'Close', () => $('explanation').close())),
    el('p', {class: 'facts'}, [shownOne.classText, ...shownOne.facts].join(' · ')),
    el('div', {class: 'views'},
      el('figure', {}, shownOne.canvas, shownOne.bar, shownOne.ticks, el('figcaption', {}, el('label', {}, 'Opacity ', slider))),
      ...(photo ? [el('figure', {}, photo, el('figcaption', {}, `What the network saw: ${runName(run)}`))] : []),
      el('div', {class: 'numbers'}, el('dl', {}, el('dt', {}, 'Cursor'), el('dd', {}, name)),
        el('div', {class: 'buttons'}, button('Copy values as CSV', 'Copy values as CSV', () => copy(rowsAsCSV(values, map), 'the values')), button('Copy link', 'Copy a link to this map', () => copy(location.href, 'the link'))))));
  if (state.explain !== id) update({explain: id}, {push});
  await shownOne.draw();
  tell();
  hideTip();
  if (!$('explanation').open) $('explanation').showModal();
}

$('explanation').addEventListener('close', () => { enlarged = null; if (state.explain) update({explain: ''}); });
$('explanation').addEventListener('click', event => { if (event.target === $('explanation')) $('explanation').close(); });
