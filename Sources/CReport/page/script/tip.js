// What the pointer is on: the value, the channel, and what of the photo it comes from.

const pictures = data.runs.map(run => {
  if (!run.picture) return null;
  const image = new Image();
  image.src = run.picture;
  return image;
});

/** Draws the photo of a run, `side` pixels wide or high, with a rectangle in pixels of the photo around what an activation sees. */
function drawField(canvas, run, side, rectangle) {
  const image = pictures[run], size = data.runs[run].input_size;
  const zoom = side / Math.max(size.width, size.height);
  canvas.width = Math.max(1, Math.round(size.width * zoom));
  canvas.height = Math.max(1, Math.round(size.height * zoom));
  const context = canvas.getContext('2d');
  context.imageSmoothingEnabled = zoom < 1;
  if (image && image.complete) context.drawImage(image, 0, 0, canvas.width, canvas.height);
  if (!rectangle) return;
  const box = [rectangle.x * zoom, rectangle.y * zoom, Math.max(2, rectangle.width * zoom), Math.max(2, rectangle.height * zoom)];
  for (const [width, color] of [[4, '#000'], [2, '#ffd54a']]) {
    context.lineWidth = width;
    context.strokeStyle = color;
    context.strokeRect(...box);
  }
}

/** The rows of the full map that a pixel of a (possibly reduced) tile stands for. */
function placeText(row, column, step) {
  const range = (at, step) => step === 1 ? String(at) : `${at * step}–${(at + 1) * step - 1}`;
  return `row ${range(row, step)}, column ${range(column, step)}`;
}

function tipFor(grid, at, all) {
  const {layer, view} = grid, maps = data.runs[at.run].layers[layer];
  const one = channelOf(at.run, layer, at.channel);
  const lines = [el('div', {}, `${shown(data.layers[layer].name)}, channel ${at.channel}${view.runs.length > 1 && !view.isDifference ? `, ${runName(at.run)}` : ''}`)];
  let canvas = null;
  if (at.isInside) {
    const base = at.channel * maps.width * maps.height;
    const valueText = run => {
      const maps = data.runs[run].layers[layer], bytes = all[view.runs.indexOf(run)], one = channelOf(run, layer, at.channel);
      const byte = at.fit.down === 1 ? bytes[base + at.row * maps.width + at.column] : strongest(bytes, base, maps, at.column, at.row, at.fit.down, strengthTable(one));
      return withError(one, byte);
    };
    const value = view.isDifference ? `${valueText(0)}  −  (${valueText(1)})` : valueText(at.run);
    const step = at.fit.down * maps.reduction;
    lines.unshift(el('b', {class: 'value'}, value));
    lines.push(el('div', {class: 'small'}, placeText(at.row, at.column, step) + (step > 1 ? `: the strongest of ${step}×${step}` : '')));
    const rectangle = fieldOf(layer, at.run, at.row * step + (step >> 1), at.column * step + (step >> 1));
    if (pictures[at.run]) {
      canvas = el('canvas');
      drawField(canvas, at.run, 110, rectangle);
    }
    if (rectangle) lines.push(el('div', {class: 'small field'}, `sees x ${rectangle.x}…${rectangle.x + rectangle.width - 1}, y ${rectangle.y}…${rectangle.y + rectangle.height - 1} of the picture`));
  }
  lines.push(el('div', {class: 'small'}, one.isFlat ? `the same everywhere: ${figures(one.min)}` : `min ${figures(one.min)}, mean ${figures(one.mean)}, max ${figures(one.max)}`));
  lines.push(el('div', {class: 'small'}, `${percent(one.zeros)} zeros; ${percent(energyOf(one) / (cards[layer].energy(at.run) || 1))} of the layer’s energy`));
  if (one.nan || one.inf) lines.push(el('div', {class: 'small'}, `${one.nan} NaN, ${one.inf} infinite`));
  return [canvas, el('div', {}, ...lines)].filter(Boolean);
}

function showTip(event, content) {
  const tip = $('tip');
  tip.replaceChildren(...content);
  tip.hidden = false;
  const box = tip.getBoundingClientRect(), margin = 14;
  const left = event.clientX + margin + box.width < innerWidth ? event.clientX + margin : event.clientX - margin - box.width;
  const top = event.clientY + margin + box.height < innerHeight ? event.clientY + margin : event.clientY - margin - box.height;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${Math.max(4, top)}px`;
}

function hideTip() { $('tip').hidden = true; }
