// The layers side by side: width of a bar by channels, height by resolution, below it how much is zero. It is the table of contents.

function buildSpine() {
  const items = data.layers.map((layer, place) => {
    const maps = data.runs[runsWith(place)[0]].layers[place];
    const side = Math.max(maps.full_height, maps.full_width);
    const bar = el('span', {class: 'bar', style: {width: `${Math.min(88, 6 + 8 * Math.log2(maps.channels + 1))}px`, height: `${4 + 10 * Math.log2(side + 1)}px`}});
    const zeros = el('span', {class: 'zeros'}, el('i', {style: {width: `${100 * maps.zero_fraction}%`}}));
    return el('li', {}, el('a', {href: linkTo(place, null), 'data-layer': place, title: `${shown(layer.name)} (${layer.class}): ${percent(maps.zero_fraction)} zeros`}, bar,
      el('span', {class: 'name'}, shown(layer.name)), el('span', {class: 'fact'}, `${maps.full_height}×${maps.full_width}×${maps.channels}`),
      el('span', {class: 'hidden'}, `, ${percent(maps.zero_fraction)} zeros`), zeros));
  });
  $('spine').append(el('ol', {}, ...items));
  $('spine').addEventListener('click', event => {
    const link = event.target.closest('a');
    if (!link || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    goTo(Number(link.dataset.layer));
  });
}

function markSpine(layer) {
  for (const link of $('spine').querySelectorAll('a')) {
    const isCurrent = Number(link.dataset.layer) === layer;
    if (isCurrent === link.hasAttribute('aria-current')) continue;
    if (isCurrent) {
      link.setAttribute('aria-current', 'true');
      const list = $('spine'), left = link.parentElement.offsetLeft;
      if (left < list.scrollLeft || left + link.offsetWidth > list.scrollLeft + list.clientWidth) list.scrollLeft = left - list.clientWidth / 2;
    } else link.removeAttribute('aria-current');
  }
}

/** Scrolls to a layer and puts it into the address. */
function goTo(layer) {
  update({layer, channel: null}, {push: true});
  cards[layer].element.scrollIntoView();
  cards[layer].heading.focus({preventScroll: true});
}
