// What the networks saw and said.

function scoreTable(run, place) {
  if (!run.scores.length) return run.score_note ? el('p', {class: 'small scores'}, run.score_note) : null;
  const isShare = run.scores.every(score => score.score >= 0 && score.score <= 1);
  const rows = run.scores.map(score => el('tr', {},
    el('th', {scope: 'row'}, score.label === null ? `class ${score.index}` : shown(score.label)),
    el('td', {}, isShare ? `${(score.score * 100).toFixed(score.score < 0.1 ? 2 : 1)} %` : figures(score.score)),
    isShare ? el('td', {}, el('meter', {min: 0, max: 1, value: score.score, 'aria-hidden': 'true'})) : null));
  return el('div', {class: 'scores'}, el('h3', {}, data.models.length > 1 ? `What ${runName(place)} says` : 'What the network says'), el('table', {}, ...rows),
    run.score_note ? el('p', {class: 'small'}, run.score_note) : null);
}

/** The picture as its file has it, with a box around what the network got. */
function originalFigure(run) {
  const {original} = run;
  if (!original) return null;
  const {part, width, height} = original, isCut = part.width < width || part.height < height;
  const share = value => `${100 * value}%`;
  const box = isCut ? el('span', {class: 'crop', style: {left: share(part.left / width), top: share(part.top / height), width: share(part.width / width), height: share(part.height / height)}}) : null;
  const size = `${run.input_size.width}×${run.input_size.height}`;
  const fate = isCut ? `the box, ${part.width}×${part.height}, became ${size}` : original.padded ? `all of it, with black around, became ${size}` : `all of it became ${size}`;
  return el('figure', {class: 'original'}, el('div', {class: 'frame'}, el('img', {src: original.picture, alt: `The picture ${baseName(run.image)} as it is in its file`}), box),
    el('figcaption', {}, `The file: ${width}×${height} pixels; ${fate}`));
}

function buildHeader() {
  for (const [place, run] of data.runs.entries()) {
    // Of models that are compared on one picture, its file is shown once.
    const isFirst = data.runs.findIndex(other => other.image === run.image) === place;
    const size = `${run.input_size.width}×${run.input_size.height}`;
    const picture = run.picture
      ? el('figure', {}, el('img', {src: run.picture, alt: `The picture ${baseName(run.image)} as the network sees it, ${size} pixels`}),
        el('figcaption', {}, `What the network saw: ${runName(place)}, ${size} pixels`))
      : el('p', {class: 'small'}, `The input ${shown(run.image)} is an array; there is no photo to show.`);
    $('runs').append(el('div', {class: 'run'}, ...[isFirst ? originalFigure(run) : null, picture, scoreTable(run, place)].filter(Boolean)));
  }
  const fact = (name, value) => $('facts').append(el('dt', {}, name), el('dd', {}, value));
  for (const [place, model] of data.models.entries()) {
    const cost = model.macs ? `, ${units(model.macs)} multiply-accumulates a picture` : '';
    fact('Network', `${data.models.length > 1 ? `${modelNames[place]}: ` : ''}${shown(model.name)} (${shown(model.class)}), ${units(model.params)} parameters${cost}; ${shown(model.origin)}`);
  }
  const channels = data.layers.reduce((sum, _, layer) => sum + data.runs[runsWith(layer)[0]].layers[layer].channels, 0);
  fact('Shown', `${data.layers.length} layers, ${channels.toLocaleString('en')} channels, none left out`);
}
