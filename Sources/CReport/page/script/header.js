// What the networks saw and said.

function scoreTable(run) {
  if (!run.scores.length) return run.score_note ? el('p', {class: 'small scores'}, run.score_note) : null;
  const isShare = run.scores.every(score => score.score >= 0 && score.score <= 1);
  const rows = run.scores.map(score => el('tr', {},
    el('th', {scope: 'row'}, score.label === null ? `class ${score.index}` : shown(score.label)),
    el('td', {}, isShare ? `${(score.score * 100).toFixed(score.score < 0.1 ? 2 : 1)} %` : figures(score.score)),
    isShare ? el('td', {}, el('meter', {min: 0, max: 1, value: score.score, 'aria-hidden': 'true'})) : null));
  return el('div', {class: 'scores'}, el('h3', {}, 'What the network says'), el('table', {}, ...rows),
    run.score_note ? el('p', {class: 'small'}, run.score_note) : null);
}

function buildHeader() {
  for (const run of data.runs) {
    const size = `${run.input_size.width}×${run.input_size.height}`;
    const picture = run.picture
      ? el('figure', {}, el('img', {src: run.picture, alt: `The picture ${baseName(run.image)} as the network sees it, ${size} pixels`}),
        el('figcaption', {}, `What the network saw: ${baseName(run.image)}, ${size} pixels`))
      : el('p', {class: 'small'}, `The input ${shown(run.image)} is an array; there is no photo to show.`);
    $('runs').append(el('div', {class: 'run'}, picture, scoreTable(run)));
  }
  const fact = (name, value) => $('facts').append(el('dt', {}, name), el('dd', {}, value));
  for (const model of data.models) {
    const cost = model.macs ? `, ${units(model.macs)} multiply-accumulates a picture` : '';
    fact('Network', `${shown(model.name)} (${shown(model.class)}), ${units(model.params)} parameters${cost}; ${shown(model.origin)}`);
  }
  const channels = data.layers.reduce((sum, _, layer) => sum + data.runs[runsWith(layer)[0]].layers[layer].channels, 0);
  fact('Shown', `${data.layers.length} layers, ${channels.toLocaleString('en')} channels, none left out`);
}
