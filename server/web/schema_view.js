// JSON Schemas as lists of members that open on demand.
import { h } from './dom.js';
import { inlineText } from './markdown.js';

const nameOf = (reference) => reference.split('/').at(-1);

/** The schema that a $ref leads to, with what stands beside the $ref. */
export function resolve(description, schema) {
  if (!schema?.$ref) return schema ?? {};
  const target = schema.$ref.split('/').slice(1).reduce((node, token) => node?.[token], description);
  const { $ref, ...beside } = schema;
  return { ...resolve(description, target), ...beside };
}

const either = (values) => values.map((value) => JSON.stringify(value)).join(', ');

/** What a schema takes, in few words: "integer ≥ 1", "list of Layer", "one of …". */
export function kindOf(description, schema) {
  if (schema.$ref) {
    const target = resolve(description, schema);
    return target.type && !['object', 'array'].includes(target.type) ? kindOf(description, { ...target, $ref: undefined }) : nameOf(schema.$ref);
  }
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.length > 12 ? `one of ${schema.enum.length} words` : either(schema.enum);
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (alternatives && !schema.properties) {
    const kinds = [...new Set(alternatives.map((one) => kindOf(description, one)))];
    return kinds.length > 8 ? `one of ${kinds.length} kinds` : kinds.join(' or ');
  }
  if (schema.type === 'array') return `list of ${schema.items ? kindOf(description, schema.items) : 'anything'}`;
  const type = Array.isArray(schema.type) ? schema.type.join(' or ') : schema.type ?? 'anything';
  const bounds = [
    schema.minimum !== undefined && `≥ ${schema.minimum}`,
    schema.maximum !== undefined && schema.maximum < 2 ** 53 - 1 && `≤ ${schema.maximum}`,
  ].filter(Boolean);
  return [type, ...bounds].join(' ');
}

/** The schemas inside a schema: its members, elements or alternatives, each {name, schema, required}. */
function partsOf(description, schema) {
  const whole = resolve(description, schema);
  const members = Object.entries(whole.properties ?? {}).map(([name, member]) => ({ name, schema: member, required: whole.required?.includes(name) }));
  const named = (list) => (list ?? []).filter((one) => one.$ref || one.properties || one.type === 'object' || one.items)
    .map((one) => ({ name: one.$ref ? nameOf(one.$ref) : kindOf(description, one), schema: one, alternative: true }));
  if (members.length) return members;
  if (whole.items) return partsOf(description, whole.items);
  if (whole.additionalProperties && typeof whole.additionalProperties === 'object') return partsOf(description, whole.additionalProperties);
  return named(whole.oneOf ?? whole.anyOf ?? whole.allOf);
}

/** `open` is the set of paths that are open; `toggle(path)` changes it. */
export function schemaView(description, schema, path, open, toggle) {
  const parts = partsOf(description, schema);
  return h('div', { class: 'schema', key: path }, parts.map((part) => partView(description, part, `${path}/${part.name}`, open, toggle)));
}

function partView(description, { name, schema, required, alternative }, path, open, toggle) {
  const whole = resolve(description, schema);
  const inner = partsOf(description, schema);
  const isOpen = open.has(path);
  return h('div', { class: 'property', key: path },
    h('div', { class: 'head' },
      h(alternative ? 'span' : 'code', {}, name),
      !alternative && h('span', { class: 'kind' }, kindOf(description, schema)),
      required && h('span', { class: 'needed' }, 'required'),
      whole.default !== undefined && h('span', { class: 'kind' }, `default ${JSON.stringify(whole.default)}`)),
    whole.description && h('p', { class: 'about' }, inlineText(whole.description.trim())),
    inner.length > 0 && h('details', { open: isOpen, ontoggle: (event) => toggle(path, event.target.open) },
      h('summary', {}, inner[0].alternative ? `${inner.length} kinds` : `${inner.length} members`),
      isOpen && schemaView(description, schema, path, open, toggle)));
}
