// From activations to colours.

const colorMaps = new Map(data.colormaps.map(map => {
  const colors = bytesOfBase64(map.colors), words = new Uint32Array(256);
  for (let i = 0; i < 256; i++) words[i] = 0xff000000 | colors[3 * i + 2] << 16 | colors[3 * i + 1] << 8 | colors[3 * i];
  return [map.name, {name: map.name, diverging: map.diverging, words}];
}));
const notFinite = 0xffff00ff;  // Magenta, which no colour map has.

const scales = {layer: 'layer', channel: 'channel', zscore: 'z-score', model: 'model'};

/** Least and greatest activation of layers, over runs. */
function extent(layers, runs) {
  let min = Infinity, max = -Infinity;
  for (const run of runs) {
    for (const layer of layers) {
      const maps = data.runs[run].layers[layer];
      if (!maps || maps.min === null) continue;
      min = Math.min(min, maps.min);
      max = Math.max(max, maps.max);
    }
  }
  return min <= max ? {min, max} : {min: 0, max: 0};
}

const hasSigns = range => range.min < -1e-6 * Math.abs(range.max);

const haveSameSize = (layer, a, b) => ['height', 'width', 'channels'].every(name => data.runs[a].layers[layer][name] === data.runs[b].layers[layer][name]);

/** What is to be shown of a layer: which runs, by which scale and colours. */
function viewOf(layer) {
  const all = runsWith(layer);
  const isDifference = state.view === 'difference' && all.includes(0) && all.includes(1) && haveSameSize(layer, 0, 1);
  const runs = isDifference ? [0, 1] : state.view === 'all' || state.view === 'difference' ? all
    : all.includes(Number(state.view)) ? [Number(state.view)] : all.slice(0, 1);
  const range = extent(state.scale === 'model' ? data.layers.keys() : [layer], runs);
  const isCommon = state.scale === 'layer' || state.scale === 'model';
  const isSigned = isDifference || isCommon && hasSigns(range);
  const largest = Math.max(Math.abs(range.min), Math.abs(range.max));
  return {layer, runs, isDifference, isCommon, isSigned, largest, low: isSigned ? -largest : Math.min(0, range.min), high: isSigned ? largest : range.max, map: chosenMap(isSigned)};
}

/** The colour map asked for, or the one that suits data and page. */
function chosenMap(isSigned) {
  if (state.map !== 'auto' && colorMaps.has(state.map)) return colorMaps.get(state.map);
  return colorMaps.get(isSigned ? (isDark() ? 'berlin' : 'RdBu_r') : isDark() ? 'magma' : 'viridis');
}

/** Factor of a channel under boost: (greatest of all / its own)^boost (Yosinski et al. 2015). */
function boostOf(view, ones) {
  if (!view.isCommon || state.boost === 0) return 1;
  const own = Math.max(...ones.map(one => one.min === null ? 0 : Math.max(Math.abs(one.min), Math.abs(one.max))));
  return own > 0 ? Math.pow(view.largest / own, state.boost) : 1;
}

/** Index 0…255 of activation `value`, by matplotlib's rule min(255, ⌊256 x⌋), or by the tutorial's for z-scores. */
function indexer(view, ones) {
  const clip = x => x > 0 ? x < 255 ? Math.floor(x) : 255 : 0;
  if (state.scale === 'zscore') {
    const mean = ones.reduce((sum, one) => sum + one.mean, 0) / ones.length;
    const variance = ones.reduce((sum, one) => sum + one.std * one.std + (one.mean - mean) ** 2, 0) / ones.length;
    const std = Math.sqrt(variance);
    return std > 0 ? value => clip(64 * ((value - mean) / std) + 128) : () => 0;
  }
  if (state.scale === 'channel') {
    const known = ones.filter(one => one.min !== null);
    const low = Math.min(...known.map(one => one.min)), high = Math.max(...known.map(one => one.max));
    return low < high ? value => clip((value - low) / (high - low) * 256) : () => 0;
  }
  const boost = boostOf(view, ones), {low, high} = view;
  return low < high ? value => clip((value * boost - low) / (high - low) * 256) : () => view.isSigned ? 128 : 0;
}

/** For each byte of a channel its colour. */
function colorTable(view, run, channel) {
  const ones = view.runs.map(run => channelOf(run, view.layer, channel));
  const index = indexer(view, ones), one = channelOf(run, view.layer, channel);
  const table = new Uint32Array(256).fill(notFinite);
  for (let byte = 0; byte <= one.levels; byte++) table[byte] = view.map.words[index(valueOf(one, byte))];
  return table;
}

/** How far from 0 each byte's activation is; what is not finite is farthest. */
function strengthTable(one) {
  const table = new Float64Array(256).fill(Infinity);
  for (let byte = 0; byte <= one.levels; byte++) table[byte] = Math.abs(valueOf(one, byte));
  return table;
}

/** How far a difference may be off: half a step of either value. */
function differenceError(view) {
  const {channels} = data.runs[view.runs[0]].layers[view.layer];
  return Math.max(...Array.from({length: channels}, (_, channel) => view.runs.reduce((sum, run) => sum + channelOf(run, view.layer, channel).step / 2, 0)));
}

/** Labels of a colour bar with their places 0…1, and what it holds for. */
function ticksOf(view) {
  if (view.isDifference) return {labels: [0, .25, .5, .75, 1].map(at => figures((2 * at - 1) * view.difference, 3)), note: `first − second, one range for the layer, each off by ${figures(differenceError(view), 2)} at most`};
  if (state.scale === 'zscore') return {labels: ['−2σ', '−1σ', 'mean', '+1σ', '+1.98σ'], note: 'each channel by its own mean and standard deviation'};
  if (state.scale === 'channel') return {labels: ['min', '', '', '', 'max'], note: 'each channel from its own min to its own max: brightness cannot be compared'};
  const labels = [0, .25, .5, .75, 1].map(at => figures(view.low * (1 - at) + view.high * at, 3));
  const whose = state.scale === 'model' ? 'one range for all layers' : 'one range for the layer';
  if (state.boost === 0) return {labels, note: whose + (view.isSigned ? ', 0 in the middle' : '')};
  return {labels: ['', '', '', '', ''], note: `${whose}, weak channels boosted by ${state.boost}: brightness cannot be compared`};
}
