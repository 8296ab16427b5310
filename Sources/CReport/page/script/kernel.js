// The kernel behind a channel, as pictures.

/** Promise of a layer's kernel: what the page holds of it, and the bytes. */
async function kernelOf(info) {
  const {slices} = info;
  return {info, bytes: slices ? await unpacked(`kernel ${slices.bytes[0]}`, slices.count, slices.bytes, slices.check_sum) : null};
}

/** The slices of a filter, each with the number of its input channel and its weights, row by row; null when the page has none. */
function slicesOf({info, bytes}, channel) {
  const {kernel, slices} = info, note = info.kernel_note ? ` (${info.kernel_note})` : '';
  if (kernel && channel < kernel.shape[3]) {
    const [height, width, inputs, filters] = kernel.shape;
    const list = Array.from({length: inputs}, (_, input) => ({input, weights: Array.from({length: height * width}, (_, at) => kernel.values[(at * inputs + input) * filters + channel] ?? NaN)}));
    const largest = Math.max(0, ...list.flatMap(slice => slice.weights).filter(Number.isFinite).map(Math.abs));
    return {height, width, inputs, list, largest, share: 1, note};
  }
  if (!slices || channel >= slices.filters) return null;
  const {height, width, inputs, kept, filters} = slices, area = height * width, largest = slices.largest[channel];
  const first = Math.floor(channel / (filters / slices.groups)) * inputs;
  const list = Array.from({length: kept}, (_, place) => {
    const at = channel * kept + place, number = filters * kept * area + 2 * at;
    const input = first + (kept < inputs ? bytes[number] + 256 * bytes[number + 1] : place);
    return {input, weights: Array.from(bytes.subarray(at * area, (at + 1) * area), byte => byte === 0 ? NaN : (byte - 128) / 127 * largest)};
  });
  return {height, width, inputs, list, largest, share: slices.share[channel] ?? 1, note};
}

const figureOf = (canvas, ...caption) => el('figure', {class: 'kernel'}, canvas, el('figcaption', {}, ...caption));

/** A filter over three channels as a picture of red, green and blue. */
function colorKernel({height, width, list, largest, note}) {
  const zoom = Math.max(4, Math.floor(96 / Math.max(height, width)));
  const canvas = el('canvas', {width: width * zoom, height: height * zoom, role: 'img', 'aria-label': `Kernel ${height}×${width} in colours`}), context = canvas.getContext('2d');
  for (let at = 0; at < height * width; at++) {
    const shades = list.map(slice => Math.round(255 * (0.5 + slice.weights[at] / (2 * largest || 1))));
    context.fillStyle = `rgb(${shades.join(' ')})`;
    context.fillRect(at % width * zoom, Math.floor(at / width) * zoom, zoom, zoom);
  }
  return figureOf(canvas, `Its kernel${note}, ${height}×${width}: in the network’s order of channels shown as red, green, blue; −${figures(largest, 3)} dark, 0 middle grey, +${figures(largest, 3)} light`);
}

/** The slices of a filter as tiles: one for each input channel, 0 in the middle of the colours. */
function sliceMatrix({height, width, inputs, list, largest, share, note}) {
  const columns = Math.min(list.length, Math.max(1, Math.ceil(Math.sqrt(list.length * height / width)))), rows = Math.ceil(list.length / columns);
  const zoom = Math.max(2, Math.min(20, Math.floor((260 / columns - 1) / width))), map = colorMaps.get(isDark() ? 'berlin' : 'RdBu_r');
  const [stepX, stepY] = [width * zoom + 1, height * zoom + 1];
  const canvas = el('canvas', {width: columns * stepX - 1, height: rows * stepY - 1, role: 'img', 'aria-label': `Kernel: ${list.length} slices of ${height}×${width}, the first for input channel ${list[0].input}`});
  const context = canvas.getContext('2d'), image = context.createImageData(canvas.width, canvas.height), pixels = new Uint32Array(image.data.buffer);
  list.forEach(({weights}, place) => {
    for (let y = 0; y < height * zoom; y++) {
      for (let x = 0; x < width * zoom; x++) {
        const weight = weights[Math.floor(y / zoom) * width + Math.floor(x / zoom)];
        const index = Math.min(255, Math.max(0, Math.floor((0.5 + weight / (2 * largest || 1)) * 256)));
        pixels[(Math.floor(place / columns) * stepY + y) * canvas.width + place % columns * stepX + x] = Number.isFinite(weight) ? map.words[index] : notFinite;
      }
    }
  });
  context.putImageData(image, 0, 0);
  const bar = el('canvas', {role: 'img', 'aria-label': `Colours from −${figures(largest, 3)} to ${figures(largest, 3)}, ${map.name}`}), spot = el('div', {class: 'spot'}, ' ');
  drawBar(bar, map);
  canvas.addEventListener('mousemove', event => {
    const box = canvas.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * canvas.width, y = (event.clientY - box.top) / box.height * canvas.height;
    const slice = list[Math.floor(y / stepY) * columns + Math.floor(x / stepX)], [row, column] = [Math.floor(y % stepY / zoom), Math.floor(x % stepX / zoom)];
    spot.textContent = slice && row >= 0 && row < height && column >= 0 && column < width ? `input ${slice.input}, row ${row}, column ${column}: ${figures(slice.weights[row * width + column], 3)}` : ' ';
  });
  const size = inputs === 1 ? `Its kernel${note}, ${height}×${width}` : `Its kernel${note}, ${height}×${width} for each of ${inputs} input channels`;
  const choice = list.length === inputs ? inputs > 1 ? ', in their order' : '' : `: the ${list.length} heaviest, heaviest first, with ${percent(share)} of all squared weights`;
  const caption = `${size}${choice}; 0 in the middle${list.length === 1 && inputs === 1 ? `; input channel ${list[0].input}` : ''}`;
  return el('figure', {class: 'kernel'}, canvas, bar, el('div', {class: 'ticks'}, ...[`−${figures(largest, 3)}`, '0', figures(largest, 3)].map(text => el('span', {}, text))), el('figcaption', {}, caption, spot));
}

/** All pictures of the kernel behind a channel. */
function kernelFigures(kernel, channel) {
  const slices = slicesOf(kernel, channel);
  if (!slices) return [];
  const title = viewer.kernels.length > 1 ? [el('h3', {}, modelNames[kernel.info.model ?? 0])] : [];
  return [...title, ...(slices.inputs === 3 && slices.list.length === 3 ? [colorKernel(slices)] : []), sliceMatrix(slices)];
}
