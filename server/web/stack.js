// The list of layers. Only the rows in sight are in the page, so that its length costs nothing.
import { marks, plannedAt } from './answer.js';
import { describeMembers } from './describe.js';
import { h } from './dom.js';
import { isObject, isPair, layersIn, listsOf, samePlace } from './document.js';
import { bytes, plural, shape, short } from './numbers.js';

const ROW_HEIGHT = 48; // pixels: the height of .row
const OVERSCAN = 6; // rows above and below what is seen

export const MEASURES = {
  macs: { label: 'Multiplications', of: (plan) => plan?.macs, write: short },
  params: { label: 'Parameters', of: (plan) => plan?.params, write: short },
  output_bytes: { label: 'Memory of the output', of: (plan) => plan?.output_bytes, write: bytes },
};

/** The rows of the list: layers, and in a pair a heading before each half. */
function rowsOf(document) {
  const pair = isPair(document);
  return listsOf(document).flatMap((list) => [
    ...(pair ? [{ heading: list === 'encoder' ? 'Encoder' : 'Decoder', key: list }] : []),
    ...layersIn(document, list).map((layer, index) => ({ layer: isObject(layer) ? layer : {}, list, index, key: `${list}/${index}` })),
  ]);
}

export const rowId = (place) => `row-${place.list}-${place.index}`;

/** Pixels from the top of the list to the row of a place, and the row's height. */
export function rowSpan(document, place) {
  const at = rowsOf(document).findIndex((row) => samePlace(row, place));
  return { top: at * ROW_HEIGHT, height: ROW_HEIGHT };
}

function rowView(row, at, context) {
  const style = { top: `${at * ROW_HEIGHT}px` };
  if (row.heading) return h('div', { class: 'row heading', key: row.key, style, role: 'presentation' }, row.heading);
  const { state, found, most, measure, commands } = context;
  const plan = plannedAt(state.answer, row);
  const mark = found.get(row.key);
  const type = row.layer.type ?? 'no type';
  const name = plan?.name ?? row.layer.name ?? '';
  const value = measure.of(plan);
  const broken = plan && plan.output === null;
  const about = [row.layer.name ? type : '', outputOf(row.layer), describeMembers(row.layer, Number(/(\d)d$/.exec(type)?.[1]))].filter(Boolean);
  const output = plan ? (broken ? 'no shape' : shape(plan.output.slice(1))) : '';
  return h('div', {
    key: row.key,
    id: rowId(row),
    class: `row${broken ? ' broken' : ''}`,
    role: 'option',
    style,
    'aria-selected': String(samePlace(row, state.selected)),
    'aria-setsize': context.count,
    'aria-posinset': context.positions.get(row.key),
    'aria-label': `${name}: ${type} ${about.at(-1) ?? ''}. ${broken ? 'No shape.' : `Output ${output}.`}${mark ? ` ${plural(mark.count, mark.severity)}.` : ''}`,
    onclick: () => commands.select({ list: row.list, index: row.index }),
  },
  h('span', { class: `number ${mark?.severity ?? ''}` }, row.index + 1),
  h('span', { class: 'name' }, row.layer.name ?? type),
  h('span', { class: 'shape' }, output),
  h('span', { class: 'about' }, about.join(' · ')),
  h('span', { class: 'cost', title: `${measure.label}: ${measure.write(value)}` },
    h('span', { style: { width: `${most > 0 && value > 0 ? Math.max(2, (100 * value) / most) : 0}%` } })));
}

const outputOf = (layer) => {
  const out = layer.out_channels ?? layer.out_features;
  return out === undefined ? '' : `→ ${out}`;
};

/** The list for keyboards: arrows choose, Alt and arrows move the layer, Delete removes it, Enter goes to its members. */
function onKey(event, state, commands) {
  const rows = rowsOf(state.history.present.document).filter((row) => !row.heading);
  const at = rows.findIndex((row) => samePlace(row, state.selected));
  const go = (to) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, to))];
    if (row) commands.select({ list: row.list, index: row.index });
  };
  const keys = {
    ArrowDown: () => (event.altKey ? commands.move(1) : go(at + 1)),
    ArrowUp: () => (event.altKey ? commands.move(-1) : go(at - 1)),
    PageDown: () => go(at + 10),
    PageUp: () => go(at - 10),
    Home: () => go(0),
    End: () => go(rows.length - 1),
    Delete: commands.remove,
    Enter: commands.focusLayer,
  };
  if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  keys[event.key]();
}

/** `view` says what part of the list is seen: {top, height} in pixels. */
export function stackView(state, commands, view) {
  const { document } = state.history.present;
  const rows = rowsOf(document);
  const layers = rows.filter((row) => !row.heading);
  const measure = MEASURES[state.measure];
  const most = Math.max(0, ...layers.map((row) => measure.of(plannedAt(state.answer, row)) ?? 0));
  const first = Math.max(0, Math.floor(view.top / ROW_HEIGHT) - OVERSCAN);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / ROW_HEIGHT) + OVERSCAN);
  const positions = new Map(layers.map((row, at) => [row.key, at + 1]));
  const context = { state, commands, measure, most, found: marks(state.answer), count: layers.length, positions };
  const seen = rows.slice(first, last);
  const active = state.selected && seen.some((row) => samePlace(row, state.selected)) ? rowId(state.selected) : null;
  return h('div', {
    class: 'rows',
    id: 'rows',
    role: 'listbox',
    tabindex: '0',
    'aria-label': 'Layers',
    'aria-activedescendant': active,
    'aria-describedby': 'rows-keys',
    onkeydown: (event) => onKey(event, state, commands),
    onscroll: commands.scrolled,
  },
  h('div', { style: { height: `${rows.length * ROW_HEIGHT}px` }, role: 'presentation' }),
  seen.map((row, at) => rowView(row, first + at, context)));
}

/** The shape that goes in, to be edited: one field for each input. */
export function inputsView(state, commands) {
  const { document } = state.history.present;
  const named = isObject(document.inputs);
  const shapes = named ? Object.entries(document.inputs) : [['input', document.input]];
  const write = (value) => (Array.isArray(value) ? value.join(', ') : JSON.stringify(value) ?? '');
  return shapes.map(([name, value]) => {
    const id = `input-${name}`;
    return h('div', { class: 'ends', key: name },
      h('label', { for: id }, name === 'input' ? 'Input' : name),
      h('input', {
        id,
        value: write(value),
        inputmode: 'numeric',
        autocomplete: 'off',
        spellcheck: 'false',
        keep: (element) => write(commands.parseShape(element.value)) === write(value),
        oninput: (event) => commands.setInput(named ? name : null, commands.parseShape(event.target.value)),
        onkeydown: commands.stepNumber,
      }));
  });
}

export function measureView(state, commands) {
  return h('select', { 'aria-label': 'What the bars show', value: state.measure, onchange: (event) => commands.set({ measure: event.target.value }) },
    Object.entries(MEASURES).map(([name, { label }]) => h('option', { value: name, key: name }, label)));
}

/** Add a layer of any type behind the selected one. */
export function addView(state, commands, typeOptions) {
  return [
    h('p', { id: 'rows-keys', class: 'unseen' }, 'Arrows choose a layer, Alt and arrows move it, Delete removes it, Enter goes to its members.'),
    h('select', { id: 'add-type', 'aria-label': 'Type of the layer to add', value: 'Conv2d' }, typeOptions(state.types)),
    h('button', { type: 'button', disabled: !state.types.size, onclick: () => commands.add(globalThis.document.getElementById('add-type').value) }, 'Add layer'),
  ];
}
