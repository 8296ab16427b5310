// Puts the page together.

/** Draws what the state changes. */
listeners.push(before => {
  showControls();
  if (before.theme !== state.theme) applyTheme();
  if (before.layer !== state.layer) markSpine(state.layer);
  const arranging = ['size', 'sort', 'live', 'view', 'scale', 'map', 'boost', 'theme'].some(name => before[name] !== state[name]);
  if (arranging) arrangeAll();
  if (arranging && $('viewer').open) openViewer(viewer.layer, viewer.channel, {push: false});
  if (arranging || ['opacity', 'smooth', 'cut'].some(name => before[name] !== state[name])) drawExplanations();
});

/** Arranges all tiles anew, draws those in the window at once, and keeps the focus on its channel. */
function arrangeAll() {
  const tile = document.activeElement?.closest('.tile'), layer = tile?.closest('section').dataset.layer;
  for (const card of cards) card.arrange();
  drawVisible();
  if (tile) cards[layer].grid.focus(Number(tile.dataset.channel));
}

/** Goes where the address says. */
async function follow() {
  const next = readHash(), before = {...state};
  Object.assign(state, next);
  for (const listener of listeners) listener(before);
  if (next.explain) openExplanation(...next.explain.split('-').map(Number), {push: false});
  else if ($('explanation').open) $('explanation').close();
  if (next.layer === null) return;
  cards[next.layer].element.scrollIntoView();
  if (next.channel !== null) await openViewer(next.layer, next.channel, {push: false});
  else if ($('viewer').open) $('viewer').close();
}

async function start() {
  Object.assign(state, readHash());
  applyTheme();
  buildHeader();
  buildSpine();
  buildControls();
  buildExplanations();
  data.layers.forEach((_, layer) => cards.push(new Card(layer)));
  for (const card of cards) card.arrange();
  buildTable();
  showControls();
  markSpine(state.layer);
  addEventListener('hashchange', follow);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { arrangeAll(); drawExplanations(); });
  let width = innerWidth;
  addEventListener('resize', () => {
    if (innerWidth === width) return;
    width = innerWidth;
    arrangeAll();
  });
  let isWaiting = false;
  addEventListener('scroll', () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      const layer = currentLayer();
      if (!$('viewer').open) markSpine(layer);
    });
  }, {passive: true});
  addEventListener('beforeprint', () => {
    isPrinting = true;
    for (const card of cards) card.arrange();
    for (const card of cards) for (const band of card.grid.bands) card.grid.build(band);
    for (const shown of explanations) shown.paint();
  });
  addEventListener('afterprint', () => { isPrinting = false; arrangeAll(); drawExplanations(); });
  if (state.layer !== null || state.explain) await follow();
  drawVisible();
  await drawing;
}

/** Decodes what has not been looked at, so that it can be printed and is there at once. */
async function decodeRest() {
  const most = 64e6;
  let sum = 0;
  for (const [run, one] of data.runs.entries()) {
    for (const [layer, maps] of one.layers.entries()) {
      if (!maps || (sum += maps.channels * maps.height * maps.width) > most) continue;
      await new Promise(resolve => window.requestIdleCallback ? requestIdleCallback(resolve, {timeout: 2000}) : setTimeout(resolve, 50));
      await bytesOf(run, layer);
    }
  }
  for (const shown of explanations) await shown.load();
}

// For tests: when the page can be used, and when everything is decoded.
const ready = start();
window.h5conv = {ready, decoded: ready.then(decodeRest), settled, data, state, cards, explanations, kernel: async (layer, channel) => slicesOf(await kernelOf(data.layers[layer]), channel)};
ready.catch(error => warn(`The page's script failed: ${error.message}`));
