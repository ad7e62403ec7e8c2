// Where parameters, multiplications and memory go: one bar for each, a segment for each layer in running order.
import { plannedLayers } from './answer.js';
import { allLayers, samePlace } from './document.js';
import { h } from './dom.js';
import { MEASURES } from './stack.js';
import { bytes, share, short } from './numbers.js';

const NAMED = 4; // layers told in words below a bar

const percent = (value) => (value >= 10 ? value.toFixed(0) : value >= 0.95 ? value.toFixed(1) : '< 1');

// The last view of each bar: hundreds of segments are made anew only when the plan is.
const bars = new Map(Object.keys(MEASURES).map((name) => [name, null]));

function barOf(name, layers, selectedAt) {
  const known = bars.get(name);
  if (known && known.layers === layers && known.selectedAt === selectedAt) return known.view;
  const { of } = MEASURES[name];
  const total = layers.reduce((all, layer) => all + (of(layer) ?? 0), 0) || 1;
  const view = h('div', { class: 'segments', 'aria-hidden': 'true' },
    layers.map((layer, at) => {
      const value = of(layer);
      return value > 0
        ? h('div', { key: at, class: `segment${at === selectedAt ? ' chosen' : ''}`, 'data-at': at, style: { 'flex-grow': ((1000 * value) / total).toFixed(3) }, title: layer.name })
        : null;
    }));
  bars.set(name, { layers, selectedAt, view });
  return view;
}

let lastAnswer = null;
let lastLayers = [];

function layersOf(answer) {
  if (answer !== lastAnswer) {
    lastAnswer = answer;
    lastLayers = plannedLayers(answer);
  }
  return lastLayers;
}

const TITLES = { params: 'Parameters', macs: 'Multiplications', output_bytes: 'Memory of the outputs' };
const WRITE = { params: short, macs: short, output_bytes: bytes };

export function costsView(state, commands) {
  const layers = layersOf(state.answer);
  const places = allLayers(state.history.present.document);
  const selectedAt = places.findIndex((place) => samePlace(place, state.selected));
  const pick = (event) => {
    const at = Number(event.target.dataset?.at ?? -1);
    if (places[at]) commands.reveal(places[at]);
  };
  const shares = ['params', 'macs', 'output_bytes'].map((name) => {
    const { of } = MEASURES[name];
    const values = layers.map((layer, at) => ({ at, name: layer.name, value: of(layer) ?? 0 }));
    const known = layers.every((layer) => of(layer) !== null);
    const total = values.reduce((all, { value }) => all + value, 0);
    const top = values.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value).slice(0, NAMED);
    return h('div', { class: 'share', key: name, onclick: pick },
      h('div', { class: 'share-head' }, h('h3', {}, TITLES[name]), h('span', {}, WRITE[name](total), known ? '' : ' and what is not known')),
      barOf(name, layers, selectedAt),
      h('p', { class: 'top' },
        top.length ? top.map(({ at, name: layer, value }) =>
          h('button', { type: 'button', key: at, 'data-at': at }, `${layer} ${percent(share(value, total))}\u202f%`)) : h('span', { class: 'quiet' }, 'none')));
  });
  return [
    h('h2', { id: 'costs-title', key: 'title' }, 'Where it goes'),
    h('p', { class: 'lede', key: 'lede' }, 'Each bar is the whole network, each segment a layer in running order.'),
    h('div', { class: 'block', key: 'shares' }, layers.length ? shares : h('p', { class: 'quiet' }, 'Nothing is planned yet.')),
  ];
}
