// The bar of controls, and the keyboard.

const controls = {};

function buildControls() {
  const select = (name, label, options) => {
    const input = controls[name] = el('select', {id: `control-${name}`, on: {change: event => update({[name]: event.target.value})}},
      ...options.map(([value, text]) => el('option', {value}, text)));
    return el('label', {}, label, input);
  };
  const live = controls.live = el('input', {type: 'checkbox', id: 'control-live', on: {change: event => update({live: event.target.checked ? 1 : 0})}});
  const boost = controls.boost = el('input', {type: 'range', id: 'control-boost', min: 0, max: 1, step: 0.05, on: {input: event => update({boost: Number(event.target.value)})}});
  const parts = [
    select('scale', 'Scale', Object.entries(scales)),
    controls.boostLabel = el('label', {title: 'Lifts weak channels towards the strongest: 0 as they are, 1 all alike'}, 'Boost', boost),
    select('map', 'Colours', [['auto', 'auto'], ...[...colorMaps.keys()].map(name => [name, name])]),
    select('size', 'Size', [['s', 'small'], ['m', 'medium'], ['l', 'large'], ['x', 'huge']]),
    select('sort', 'Sort', [['index', 'by index'], ['mean', 'by mean'], ['max', 'by max'], ['energy', 'by energy']]),
    el('label', {}, live, 'Only live'),
    select('theme', 'Theme', [['auto', 'auto'], ['light', 'light'], ['dark', 'dark']]),
    el('button', {type: 'button', id: 'help-button', on: {click: showHelp}, 'aria-label': 'Help: keys'}, '?'),
  ];
  if (data.runs.length > 1) {
    const views = data.runs.map((_, place) => [String(place), runName(place)]);
    parts.unshift(select('view', 'Show', [['all', 'side by side'], ...(data.runs.length >= 2 ? [['difference', 'first − second']] : []), ...views]));
  }
  $('controls').append(...parts);
}

function showControls() {
  for (const name of ['scale', 'map', 'size', 'sort', 'theme', 'view']) if (controls[name]) controls[name].value = state[name];
  controls.live.checked = state.live === 1;
  controls.boost.value = state.boost;
  controls.boostLabel.hidden = state.scale !== 'layer' && state.scale !== 'model';
}

const keys = [
  ['j', 'next layer'], ['k', 'previous layer'], ['s', 'next scale'], ['c', 'next colour map'], ['o', 'next order'], ['+', 'larger tiles'], ['-', 'smaller tiles'], ['l', 'only live channels'], ['t', 'light or dark'],
  ['arrows', 'move among tiles; in a map move the cursor'], ['Enter', 'open the channel'], ['n  p', 'next, previous channel when one is open'], ['Esc', 'close'], ['?', 'this help'],
];

function showHelp() {
  $('help').replaceChildren(
    el('header', {}, el('h2', {id: 'help-title'}, 'Keys'), el('button', {type: 'button', on: {click: () => $('help').close()}}, 'Close')),
    el('dl', {}, ...keys.flatMap(([key, meaning]) => [el('dt', {}, el('kbd', {}, key)), el('dd', {}, meaning)])));
  $('help').showModal();
}

/** The choice after the present one. */
function cycle(name, step = 1) {
  const list = choices[name], at = list.indexOf(String(state[name]));
  const next = list[(at + step + list.length) % list.length];
  update({[name]: next});
  announce(`${name}: ${scales[next] ?? next}`);
}

/** The layer that the window shows, by where its top is. */
function currentLayer() {
  const line = Math.min(innerHeight / 3, 240);
  let current = -1;
  for (const card of cards) if (card.element.getBoundingClientRect().top <= line) current = card.layer;
  return current;
}

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input, select, textarea') || document.querySelector('dialog[open]')) return;
  switch (event.key) {
    case 'j': goTo(Math.min(cards.length - 1, currentLayer() + 1)); break;
    case 'k': goTo(Math.max(0, currentLayer() - 1)); break;
    case 's': cycle('scale'); break;
    case 'c': cycle('map'); break;
    case 'o': cycle('sort'); break;
    case '+': case '=': if (state.size !== 'x') cycle('size'); break;
    case '-': if (state.size !== 's') cycle('size', -1); break;
    case 'l': update({live: 1 - state.live}); break;
    case 't': update({theme: isDark() ? 'light' : 'dark'}); break;
    case '?': showHelp(); break;
    default: return;
  }
  event.preventDefault();
});
