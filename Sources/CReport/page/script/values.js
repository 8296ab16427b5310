// What bytes stand for, and numbers for people.

const runsWith = layer => data.runs.map((_, run) => run).filter(run => data.runs[run].layers[layer]);

/** What is known of a layer in the model of a run. */
const infoOf = (layer, run) => data.layers[layer].others?.find(other => other.model === data.runs[run].model) ?? data.layers[layer];

/** The statistics of one channel, as exact as the file holds them. */
const channelOf = (run, layer, channel) => statisticsOf(data.runs[run].layers[layer], channel);

function statisticsOf(maps, channel) {
  const min = maps.channel_min[channel], max = maps.channel_max[channel];
  const levels = maps.channel_levels ? maps.channel_levels[channel] : 255;
  const area = maps.full_height * maps.full_width;
  return {
    min, max, levels, mean: maps.channel_mean[channel], std: maps.channel_std[channel],
    zeros: maps.channel_zeros[channel] / area, step: min === null ? 0 : (max - min) / levels,
    isFlat: min === null || min === max, area,
    nan: maps.channel_nan ? maps.channel_nan[channel] : 0, inf: maps.channel_inf ? maps.channel_inf[channel] : 0,
  };
}

/** The activation that `byte` of a channel stands for; off by step / 2 at most. */
function valueOf(one, byte) {
  if (byte <= one.levels) return one.min === null ? 0 : one.min + byte * one.step;
  return byte === 253 ? -Infinity : byte === 254 ? Infinity : NaN;
}

/** Mean of the squared activations, the channel's part in the layer's energy. */
const energyOf = one => one.std === null ? 0 : one.std * one.std + one.mean * one.mean;

function layerEnergy(run, layer) {
  const maps = data.runs[run].layers[layer];
  let sum = 0;
  for (let c = 0; c < maps.channels; c++) sum += energyOf(channelOf(run, layer, c));
  return sum;
}

/** The last part of a file's name, for captions. */
const baseName = path => shown(path.split('/').pop() || path);

const modelNames = (() => {
  const bases = data.models.map(model => baseName(model.path));
  return new Set(bases).size === bases.length ? bases : data.models.map(model => shown(model.path));
})();
const isOfSeveralImages = new Set(data.runs.map(run => run.image)).size > 1 || data.runs.length > data.models.length;

/** What tells a run from the others: its model, its picture, or both. */
function runName(run) {
  const {model, image} = data.runs[run];
  return data.models.length === 1 ? baseName(image) : isOfSeveralImages ? `${modelNames[model]}, ${baseName(image)}` : modelNames[model];
}
const runsAre = data.models.length === 1 ? 'pictures' : isOfSeveralImages ? 'runs' : 'models';

const isSparse = one => !one.isFlat && one.zeros > 0.99;

/** The number in `digits` significant figures, with a true minus sign. */
function figures(value, digits = 4) {
  if (value === null || Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value < 0 ? '−∞' : '+∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  const text = size >= 1e6 || size < 1e-4 ? size.toExponential(digits - 1) : String(Number(size.toPrecision(digits)));
  return (value < 0 ? '−' : '') + text;
}

/** A value read from a byte, with how far it may be off. */
const withError = (one, byte) => {
  const value = valueOf(one, byte);
  return !Number.isFinite(value) || one.step === 0 ? figures(value, 5) : `${figures(value, 5)} ± ${figures(one.step / 2, 2)}`;
};

const percent = share => share === 0 ? '0 %' : share < 0.001 ? '< 0.1 %' : `${(share * 100).toFixed(1)} %`;

function units(count) {
  for (const [size, name] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
    if (count >= size) return `${Number((count / size).toPrecision(3))} ${name}`;
  }
  return String(count);
}

/** What an activation sees of the picture, as text; empty when it is not known. */
function fieldText(layer, run = runsWith(layer)[0]) {
  const {fields} = infoOf(layer, run);
  if (!fields.length) return '';
  if (fields.some(field => field.whole)) return 'sees the whole picture';
  const size = fields.map(field => Math.ceil(field.size)).join('×');
  const stride = fields.map(field => Number(field.stride.toFixed(2))).join('×');
  const bound = fields.some(field => field.bound) ? 'at most ' : '';
  const gate = fields.some(field => field.gated) ? ', and all of it through a gate' : '';
  return `sees ${bound}${size} pixels${gate}, stride ${stride}`;
}

/** The rectangle of the picture that activation (row, column) sees, in pixels, clipped; null when it is not known. */
function fieldOf(layer, run, row, column) {
  const {fields} = infoOf(layer, run), size = data.runs[run].input_size;
  if (fields.length !== 2) return null;
  const [y, x] = fields.map((field, axis) => {
    const length = axis === 0 ? size.height : size.width, place = axis === 0 ? row : column;
    if (field.whole) return [0, length];
    const start = Math.floor(field.start + place * field.stride);
    const end = Math.ceil(field.start + place * field.stride + field.size);
    return [Math.max(0, start), Math.min(length, end)];
  });
  return {x: x[0], y: y[0], width: Math.max(0, x[1] - x[0]), height: Math.max(0, y[1] - y[0])};
}
