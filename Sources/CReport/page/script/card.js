// The card of a layer: what it is, its scale, its histogram, its tiles.

const cards = [];

/** Draws a colour map as a bar of 256 steps. */
function drawBar(canvas, map) {
  canvas.width = 256;
  canvas.height = 1;
  const context = canvas.getContext('2d'), image = context.createImageData(256, 1);
  new Uint32Array(image.data.buffer).set(map.words);
  context.putImageData(image, 0, 0);
}

/** Bars whose heights are logarithms of counts. */
function histogramOf(counts, label) {
  const namespace = 'http://www.w3.org/2000/svg', svg = document.createElementNS(namespace, 'svg');
  const highest = Math.log1p(Math.max(...counts, 1));
  const set = (element, attributes) => { for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value); return element; };
  set(svg, {viewBox: `0 0 ${counts.length * 4} 40`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label});
  counts.forEach((count, place) => {
    const height = 40 * Math.log1p(count) / highest;
    if (count) svg.append(set(document.createElementNS(namespace, 'rect'), {x: place * 4, y: 40 - height, width: 3.5, height}));
  });
  return svg;
}

class Card {
  constructor(layer) {
    this.layer = layer;
    const info = data.layers[layer], run = runsWith(layer)[0], maps = data.runs[run].layers[layer];
    this.energies = new Map();
    this.link = el('a', {href: linkTo(layer, null)}, shown(info.name));
    this.heading = el('h2', {id: `layer-${layer}`, tabindex: -1}, this.link);
    this.legend = el('div', {class: 'legend'});
    this.gridElement = el('div', {class: 'grid', role: 'group', 'aria-label': `Channels of ${shown(info.name)}; arrow keys move, Enter opens one`});
    this.element = el('section', {class: 'layer', 'data-layer': layer, 'aria-labelledby': `layer-${layer}`},
      this.heading, el('p', {class: 'facts'}, ...this.facts(info, maps, run)), this.legend, this.gridElement);
    $('layers').append(this.element);
    this.grid = new Grid(layer, this.gridElement);
  }

  facts(info, maps, run) {
    const flat = maps.flat_channels.length;
    let sparse = 0;
    for (let c = 0; c < maps.channels; c++) if (isSparse(channelOf(run, this.layer, c))) sparse++;
    const parts = [
      `${shown(info.class)}, ${maps.channels} channel${maps.channels === 1 ? '' : 's'} of ${maps.full_height}×${maps.full_width}`, fieldText(this.layer),
      info.params ? `${info.params.toLocaleString('en')} parameters` : '', info.macs ? `${units(info.macs)} MACs` : '',
      `${data.runs.length > 1 ? `${runName(run)}: ` : ''}values ${figures(maps.min)} … ${figures(maps.max)}`, `${percent(maps.zero_fraction)} zeros`,
    ].filter(Boolean);
    const counts = el('b', {title: 'Flat: the same value everywhere on this picture. Sparse: more than 99 % zeros.'}, `${flat} of ${maps.channels} flat${sparse ? `, ${sparse} sparse` : ''}`);
    const rest = [];
    if (maps.nan_count + maps.inf_count) rest.push(el('b', {}, ` · ${maps.nan_count} NaN and ${maps.inf_count} infinite, in magenta`));
    if (maps.reduction > 1) rest.push(` · thumbnails: the strongest of ${maps.reduction}×${maps.reduction}`);
    return [parts.join(' · ') + ' · ', counts, ...rest];
  }

  energy(run) {
    if (!this.energies.has(run)) this.energies.set(run, layerEnergy(run, this.layer));
    return this.energies.get(run);
  }

  /** Colour bar with true numbers, and the layer's histogram. */
  drawLegend() {
    const view = this.grid.view, ticks = view.isDifference && view.difference === undefined ? {labels: [], note: 'first − second'} : ticksOf(view);
    const canvas = el('canvas', {role: 'img', 'aria-label': `Colours from ${ticks.labels[0] ?? ''} to ${ticks.labels[ticks.labels.length - 1] ?? ''}, ${view.map.name}`});
    drawBar(canvas, view.map);
    const fit = this.grid.fit;
    const size = fit.down > 1 ? `each pixel the strongest of ${fit.down}×${fit.down}` : `each activation ${fit.up}×${fit.upY} pixel${fit.up * fit.upY > 1 ? 's' : ''}`;
    const whose = view.runs.length > 1 ? `, shared by ${view.runs.length} ${runsAre}` : '';
    this.legend.replaceChildren(
      el('div', {class: 'colorbar'}, canvas, el('div', {class: 'ticks'}, ...ticks.labels.map(label => el('span', {}, label))), el('div', {class: 'small'}, `${view.map.name}: ${ticks.note}${whose}; ${size}`)),
      ...view.runs.slice(0, 2).map(run => {
        const maps = data.runs[run].layers[this.layer];
        return el('div', {class: 'histogram'}, histogramOf(maps.histogram, `How many activations there are from ${figures(maps.min)} to ${figures(maps.max)}`),
          el('div', {class: 'ticks'}, el('span', {}, figures(maps.min, 3)), el('span', {}, `${view.runs.length > 1 ? runName(run) : 'activations'}, log count`), el('span', {}, figures(maps.max, 3))));
      }));
  }

  arrange() {
    this.grid.arrange();
    this.drawLegend();
    this.link.setAttribute('href', linkTo(this.layer, null));
  }
}
