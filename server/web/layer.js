// The selected layer: what is wrong with it, its members as a form, why its size is what it is, and its figure.
import { findingsAt, inputShapeAt, merged, plannedAt } from './answer.js';
import { formula } from './describe.js';
import { h } from './dom.js';
import { allLayers, layerAt } from './document.js';
import { findingView } from './findings.js';
import { readMember, readNames, readShape, says, writeMember, writeNames } from './members.js';
import { bytes, exact, shape, signed } from './numbers.js';

// ---- Fields: one way to edit each type of member of /v1/layers ---------------------------------------------------

function field(id, label, control, { wrong, hint, check, wide } = {}) {
  const caption = h('label', { for: id, title: hint }, label.replaceAll('_', ' '));
  const shown = h(control.tag, { ...control.props, id, title: hint, 'aria-invalid': wrong ? 'true' : undefined }, control.children);
  return h('div', { class: `field${wrong ? ' wrong' : ''}${check ? ' check' : ''}${wide ? ' wide' : ''}`, key: id }, check ? [shown, caption] : [caption, shown]);
}

const textInput = (value, write, read, placeholder, commands, set, list) =>
  h('input', {
    value: write(value),
    placeholder,
    autocomplete: 'off',
    spellcheck: 'false',
    list,
    keep: says(read, value),
    oninput: (event) => set(read(event.target.value)),
    onkeydown: commands.stepNumber,
  });

const usual = (member) => member.default_text ?? (member.default === null || member.default === undefined ? '' : String(member.default));

const PLACEHOLDERS = { sizes: 'sizes', shape: 'sizes', borders: 'left, right, …' };

function memberControl(member, layer, commands) {
  const value = layer[member.name];
  const set = (next) => commands.setMember(member.name, next);
  if (member.type === 'boolean') {
    const on = value ?? member.default;
    return h('input', {
      type: 'checkbox',
      checked: on === true,
      onchange: (event) => set(event.target.checked === member.default ? undefined : event.target.checked),
    });
  }
  if (member.type === 'word') {
    return h('select', { value: value ?? member.default, onchange: (event) => set(event.target.value === member.default ? undefined : event.target.value) },
      member.words.map((word) => h('option', { key: word, value: word }, word)));
  }
  const read = member.type === 'sizes' || member.type === 'shape' ? readShape : readMember;
  const placeholder = usual(member) || PLACEHOLDERS[member.type];
  return textInput(value, writeMember, read, placeholder, commands, set, member.words ? 'padding-words' : undefined);
}

function memberField(member, layer, place, found, commands) {
  const pointer = `/${place.list}/${place.index}/${member.name}`;
  const wrong = found.some((finding) => finding.severity === 'error' && finding.pointer.startsWith(pointer));
  const control = memberControl(member, layer, commands);
  return field(`member-${member.name}`, member.name, control, { wrong, hint: member.summary, check: member.type === 'boolean' });
}

// ---- The form ----------------------------------------------------------------------------------------------------

const FAMILY_WORDS = { convolution: 'Convolution', transposed: 'Transposed convolution', dense: 'Dense', unknown: 'Unknown' };
const familyName = (family) => FAMILY_WORDS[family] ?? family.charAt(0).toUpperCase() + family.slice(1);

/** All types, grouped by family, for a select. */
export function typeOptions(types, chosen) {
  const families = new Map();
  for (const type of types.values()) families.set(type.family, [...(families.get(type.family) ?? []), type.type]);
  return [...families].map(([family, names]) =>
    h('optgroup', { key: family, label: familyName(family) },
      names.map((name) => h('option', { key: name, value: name, selected: name === chosen }, name))));
}

const RARE = new Set(['in_channels', 'in_features', 'num_features', 'num_channels', 'inplace', 'eps', 'momentum', 'track_running_stats', 'affine']);

function form(state, layer, place, found, commands) {
  const type = state.types.get(layer.type);
  const members = type?.members ?? [];
  const isRare = (member) => RARE.has(member.name) && layer[member.name] === undefined;
  const show = (member) => memberField(member, layer, place, found, commands);
  const known = state.types.has(layer.type);
  const names = allLayers(state.history.present.document).map(({ layer: other }) => other?.name).filter(Boolean);
  const rare = [
    field('member-from', 'from', textInput(layer.from, writeNames, readNames, 'the layer before', commands, (value) => commands.setMember('from', value), 'layer-names'), { hint: 'Names of the layers that this one takes its input from' }),
    field('member-expect', 'expect', textInput(layer.expect, writeMember, readShape, 'any shape', commands, (value) => commands.setMember('expect', value)), { hint: 'The output shape that you believe in; null is any size' }),
    ...members.filter(isRare).map(show),
  ];
  return [
    h('div', { class: 'fields', key: 'fields' },
      field('member-type', 'type', h('select', { value: known ? layer.type : '', onchange: (event) => commands.setType(event.target.value) },
        known ? null : h('option', { value: '' }, String(layer.type ?? '')), typeOptions(state.types)), { wrong: !known, wide: true }),
      field('member-name', 'name', textInput(layer.name, (name) => name ?? '', (text) => text.trim() || undefined, 'none', commands, commands.rename), { hint: 'Layers that name it in `from` follow' }),
      members.filter((member) => !isRare(member)).map(show),
      // Members that the type does not know can only be taken out.
      Object.keys(layer).filter((name) => known && !['type', 'name', 'from', 'expect', 'meta'].includes(name) && !members.some((member) => member.name === name))
        .map((name) => h('div', { class: 'field wrong', key: `odd-${name}` }, h('span', { class: 'label' }, name),
          h('button', { type: 'button', onclick: () => commands.setMember(name, undefined) }, 'Remove')))),
    h('details', { class: 'more', key: 'more', open: layer.from !== undefined || found.some(({ pointer }) => /\/(from|expect)\b/.test(pointer)) },
      h('summary', {}, 'Connections, expectation and rare members'), h('div', { class: 'fields' }, rare)),
    h('datalist', { id: 'layer-names', key: 'names' }, ['input', ...names].map((name) => h('option', { value: name, key: name }))),
    h('datalist', { id: 'padding-words', key: 'words' }, ['valid', 'same', 'same_upper', 'same_lower', 'half', 'full'].map((word) => h('option', { value: word, key: word }))),
  ];
}

// ---- Why ---------------------------------------------------------------------------------------------------------

function reach(field) {
  if (field === 'global') return 'the whole input';
  if (!field) return 'no single number is true';
  const each = (values) => (values.every((value) => value === values[0]) ? values[0] : values.join(' × '));
  return `${field.size.join(' × ')}, every ${each(field.stride)}, from ${each(field.start.map(signed))}`;
}

function relation(plan, relationships) {
  if (!plan?.formula?.length) return null;
  const distinct = plan.formula.filter((text, at, all) => all.indexOf(text) === at);
  const known = relationships.get(plan.relationship);
  return h('div', { class: 'relation', key: 'relation' },
    h('h3', {}, plan.relationship ? `Relationship ${plan.relationship}` : 'Why this size',
      known && h('span', { class: 'quiet' }, ` · ${known.title}`)),
    distinct.map((text) => h('p', { key: text }, formula(text))));
}

function facts(plan) {
  if (!plan || plan.output === null) return null;
  return h('dl', { class: 'facts', key: 'facts' },
    h('dt', {}, 'Parameters'), h('dd', {}, plan.params === null ? 'not known' : exact(plan.params)),
    h('dt', {}, 'Multiplications'), h('dd', {}, plan.macs === null ? 'not known' : exact(plan.macs)),
    h('dt', {}, 'Output'), h('dd', {}, bytes(plan.output_bytes)),
    h('dt', {}, 'Receptive field'), h('dd', {}, reach(plan.receptive_field)));
}

// ---- The panel ---------------------------------------------------------------------------------------------------

export function layerView(state, commands, figureView) {
  const { document } = state.history.present;
  const place = state.selected;
  const layer = layerAt(document, place);
  if (!layer) {
    return [
      h('div', { class: 'panel-head', key: 'head' }, h('h2', { id: 'layer-title' }, 'Layer')),
      h('div', { class: 'layer-body', key: 'empty' }, h('p', { class: 'quiet' }, 'No layer is selected. Add one, or start from an example.')),
    ];
  }
  const plan = plannedAt(state.answer, place);
  const found = findingsAt(state.answer, place);
  const source = inputShapeAt(document, state.answer, place);
  const key = `${place.list}/${place.index}`;
  return [
    h('div', { class: 'panel-head', key: 'head' },
      h('div', { class: 'layer-title' },
        h('h2', { id: 'layer-title' }, plan?.name ?? layer.name ?? layer.type ?? 'Layer'),
        h('span', { class: 'quiet' }, state.types.get(layer.type)?.type ?? '')),
      h('div', { class: 'panel-tools' },
        h('button', { type: 'button', class: 'plain', onclick: () => commands.move(-1), 'aria-label': 'Move the layer up', title: 'Move up (Alt+↑ in the list)' }, '↑'),
        h('button', { type: 'button', class: 'plain', onclick: () => commands.move(1), 'aria-label': 'Move the layer down', title: 'Move down (Alt+↓ in the list)' }, '↓'),
        h('button', { type: 'button', class: 'plain', onclick: commands.duplicate }, 'Duplicate'),
        h('button', { type: 'button', class: 'plain', onclick: commands.remove, title: 'Delete in the list' }, 'Remove'))),
    h('div', { class: 'layer-body', key },
      h('p', { class: 'passage', key: 'passage' }, h('span', { class: 'in' }, shape(source)), ' → ', h('span', { class: 'out' }, shape(plan?.output)),
        h('span', {}, ` · ${state.types.get(layer.type)?.summary ?? 'No such type.'}`)),
      found.length > 0 && h('div', { class: 'findings', key: 'findings' }, merged(found).map((finding) => findingView(finding, commands))),
      form(state, layer, place, found, commands),
      relation(plan, state.relationships),
      figureView(state, layer, source, commands),
      facts(plan)),
  ];
}
