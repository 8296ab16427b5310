// The statistics: sorted by any column, copied as text.

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = el('textarea', {class: 'hidden'});
    area.value = text;
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  announce(`Copied ${what}.`);
}

const columns = ['index', 'layer', 'class', 'shape', 'min', 'max', 'mean', 'std', 'zero_fraction', 'flat_channels'];

/** A row of numbers for each run and layer. */
function statisticsRows() {
  return data.runs.flatMap((run, place) => data.layers.flatMap((layer, at) => {
    const maps = run.layers[at];
    return maps ? [{place, at, values: [layer.index, layer.name, layer.class, layer.shape.join('×'), maps.min, maps.max, maps.mean, maps.std, maps.zero_fraction, maps.flat_channels.length], maps}] : [];
  }));
}

const csvCell = value => typeof value === 'string' && /[",\n\r]|^[=+\-@]/.test(value) ? `"${value.replace(/"/g, '""')}"` : value === null ? '' : String(value);
const csv = rows => rows.map(row => row.map(csvCell).join(',')).join('\n') + '\n';

const runColumns = data.models.length > 1 ? ['model', 'image'] : ['image'];
const runCells = run => (data.models.length > 1 ? [data.models[data.runs[run].model].path] : []).concat(data.runs[run].image);

const layersAsCSV = () => csv([[...runColumns, ...columns], ...statisticsRows().map(row => [...runCells(row.place), ...row.values])]);

function channelsAsCSV() {
  const rows = [[...runColumns, 'layer', 'channel', 'min', 'max', 'mean', 'std', 'zero_fraction']];
  for (const {place, at, maps} of statisticsRows()) {
    for (let c = 0; c < maps.channels; c++) {
      const one = channelOf(place, at, c);
      rows.push([...runCells(place), data.layers[at].name, c, one.min, one.max, one.mean, one.std, one.zeros]);
    }
  }
  return csv(rows);
}

const statisticsAsJSON = () => JSON.stringify(statisticsRows().map(row => ({...Object.fromEntries(runColumns.map((name, place) => [name, runCells(row.place)[place]])), ...Object.fromEntries(columns.map((name, column) => [name, row.values[column]]))})), null, 2) + '\n';

function buildTable() {
  const table = $('statistics').querySelector('table'), body = table.tBodies[0], rows = statisticsRows();
  const isSeveral = data.runs.length > 1, element = new Map();
  for (const row of rows) {
    const [index, name, className, shape, min, max, mean, std, zeros, flat] = row.values;
    const link = el('a', {href: linkTo(row.at, null), on: {click: event => { event.preventDefault(); goTo(row.at); }}}, shown(name) + (isSeveral ? ` (${runName(row.place)})` : ''));
    element.set(row, el('tr', {}, el('td', {}, index), el('th', {scope: 'row'}, link), ...[shown(className), shape, figures(min), figures(max), figures(mean), figures(std), (zeros * 100).toFixed(1), `${flat} of ${row.maps.channels}`].map(text => el('td', {}, text))));
  }
  const heads = [...table.tHead.rows[0].cells];
  let sortedBy = 0, direction = 1;
  const sort = column => {
    direction = column === sortedBy ? -direction : column === 0 || column > 3 && column !== 0 ? (column === 0 ? 1 : -1) : 1;
    sortedBy = column;
    const order = [...rows].sort((a, b) => {
      const [x, y] = [a.values[column], b.values[column]];
      return direction * (typeof x === 'string' ? x.localeCompare(y, 'en', {numeric: true}) : (x ?? -Infinity) - (y ?? -Infinity)) || rows.indexOf(a) - rows.indexOf(b);
    });
    body.replaceChildren(...order.map(row => element.get(row)));
    heads.forEach((head, place) => place === column ? head.setAttribute('aria-sort', direction > 0 ? 'ascending' : 'descending') : head.removeAttribute('aria-sort'));
  };
  heads.forEach((head, column) => {
    const text = head.textContent;
    head.replaceChildren(el('button', {type: 'button', on: {click: () => sort(column)}}, text));
  });
  heads[0].setAttribute('aria-sort', 'ascending');
  body.replaceChildren(...rows.map(row => element.get(row)));
  const button = (text, make, what) => el('button', {type: 'button', on: {click: () => copy(make(), what)}}, text);
  $('statistics').append(el('div', {class: 'buttons'}, button('Copy layers as CSV', layersAsCSV, 'the layers as CSV'), button('Copy channels as CSV', channelsAsCSV, 'the channels as CSV'), button('Copy layers as JSON', statisticsAsJSON, 'the layers as JSON')));
  $('command').closest('pre').after(el('div', {class: 'buttons'}, button('Copy command', () => data.command, 'the command')));
}
