// How things are shown, which layer and channel: all of it stands in the address, so that a link shows the same.

const defaults = {scale: 'layer', boost: 0, map: 'auto', size: 'm', sort: 'index', live: 0, theme: 'auto', view: data.runs.length > 1 ? 'all' : '0', opacity: 0.55, smooth: 0, cut: 0, explain: ''};
const choices = {
  scale: Object.keys(scales), map: ['auto', ...colorMaps.keys()], size: ['s', 'm', 'l', 'x'], sort: ['index', 'mean', 'max', 'energy'],
  theme: ['auto', 'light', 'dark'], view: [...data.runs.keys(), 'all', 'difference'].map(String),
  explain: data.runs.flatMap((run, place) => run.explanations.map((_, number) => `${place}-${number}`)),
};
const state = {...defaults, layer: null, channel: null};
const listeners = [];
const names = new Map(data.layers.map((layer, place) => [layer.name, place]));

function readHash() {
  const [target, query] = location.hash.slice(1).split('?');
  const next = {...defaults, layer: null, channel: null};
  for (const [name, value] of new URLSearchParams(query || '')) {
    if (name === 'boost' || name === 'opacity') next[name] = Math.min(1, Math.max(0, Number(value) || 0));
    else if (['live', 'smooth', 'cut'].includes(name)) next[name] = value === '1' ? 1 : 0;
    else if (choices[name] && choices[name].includes(value)) next[name] = value;
  }
  const decode = text => { try { return decodeURIComponent(text); } catch { return text; } };
  if (target) {
    const cut = target.lastIndexOf('/'), whole = decode(target);
    if (names.has(whole)) next.layer = names.get(whole);
    else if (cut > 0 && names.has(decode(target.slice(0, cut)))) {
      next.layer = names.get(decode(target.slice(0, cut)));
      const channel = Number(target.slice(cut + 1)), run = runsWith(next.layer)[0];
      if (Number.isInteger(channel) && channel >= 0 && channel < data.runs[run].layers[next.layer].channels) next.channel = channel;
    }
  }
  return next;
}

/** The address of a channel, or of the layer. */
function linkTo(layer, channel) {
  const query = new URLSearchParams(Object.keys(defaults).filter(name => String(state[name]) !== String(defaults[name])).map(name => [name, state[name]]));
  const target = layer === null ? '' : encodeURIComponent(data.layers[layer].name) + (channel === null ? '' : '/' + channel);
  return '#' + target + (query.size ? '?' + query : '');
}

/** Changes the state, the address, and what depends on it. */
function update(change, {push = false} = {}) {
  const before = {...state};
  Object.assign(state, change);
  const hash = linkTo(state.layer, state.channel);
  if (hash !== location.hash && !(hash === '#' && location.hash === '')) {
    history[push ? 'pushState' : 'replaceState'](null, '', hash === '#' ? location.href.split('#')[0] : hash);
  }
  for (const listener of listeners) listener(before);
}

/** While the page is printed: on paper it is light, and as wide as A4 or Letter between their margins. */
let isPrinting = false;
const paperWidth = 700;

const isDark = () => !isPrinting && (state.theme === 'dark' || state.theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);

function applyTheme() {
  if (state.theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = state.theme;
}

const announce = text => { $('announcer').textContent = text; };
