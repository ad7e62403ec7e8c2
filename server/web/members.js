// Members of layers as people type them, and back. The service judges them: what means nothing here is sent as it is, so
// that the service can say what is wrong with it.

/** The text of a member in its field; empty for the default. */
export function writeMember(value) {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'number')) return value.join(', ');
  return JSON.stringify(value).replaceAll(',', ', ');
}

const isNumber = (text) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);

/** The value that a field's text says: undefined for none, a number, a list of numbers ("1, 2"), JSON, else the words. */
export function readMember(text) {
  const trimmed = text.trim();
  if (!trimmed) return undefined;
  if (isNumber(trimmed)) return Number(trimmed);
  const parts = trimmed.split(/\s*[,×]\s*|\s+/).filter(Boolean);
  if (parts.length && parts.every(isNumber)) return parts.map(Number);
  if (/^[[{"]|^(null|true|false)$/.test(trimmed)) {
    try {
      return JSON.parse(trimmed);
    } catch {
      return trimmed;
    }
  }
  return trimmed;
}

/** A shape: always a list; null for a size that may be anything is written ?. */
export function readShape(text) {
  const value = readMember(text.replaceAll('?', 'null').replace(/^\s*(null|\d)(.*null.*|.*)$/s, (all) => (all.includes('null') ? `[${all}]` : all)));
  return typeof value === 'number' ? [value] : value;
}

export const readNames = (text) => {
  const names = text.split(',').map((name) => name.trim()).filter(Boolean);
  return names.length === 0 ? undefined : names.length === 1 ? names[0] : names;
};

export const writeNames = (value) => (Array.isArray(value) ? value.join(', ') : value ?? '');

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Whether a field may keep what is typed in it: it says the same value in other letters ("3," or "03"). */
export const says = (read, value) => (element) => same(read(element.value), value);

/** Up and Down in a field change the number at the caret, by 10 with Shift. True when there was one. */
export function stepNumber(element, by) {
  const { value, selectionStart } = element;
  for (const match of value.matchAll(/-?\d+/g)) {
    if (selectionStart < match.index || selectionStart > match.index + match[0].length) continue;
    const next = String(Number(match[0]) + by);
    element.value = value.slice(0, match.index) + next + value.slice(match.index + match[0].length);
    element.setSelectionRange(match.index + next.length, match.index + next.length);
    return true;
  }
  return false;
}

// ---- New layers -------------------------------------------------------------------------------------------------

// What a layer starts with where its type demands a member: the usual choice.
const STARTS = {
  out_channels: 16,
  kernel_size: 3,
  out_features: 10,
  output_size: 1,
  upscale_factor: 2,
  downscale_factor: 2,
  num_groups: 1,
  groups: 1,
  dim: 1,
  padding: 1,
  size: 5,
  shape: [1, -1],
  dims: [0, 1, 2, 3],
  unflattened_size: [1, -1],
};

const BESIDES = {
  pooling: { kernel_size: 2 },
  unpooling: { kernel_size: 2 },
  transposed: { kernel_size: 4, stride: 2, padding: 1 },
};

/** A layer of a type of /v1/layers, ready to be changed. `shape` is what it will be given, or null. */
export function newLayer(type, shape) {
  const layer = { type: type.type };
  for (const member of type.members) if (member.required) layer[member.name] = STARTS[member.name] ?? 1;
  Object.assign(layer, BESIDES[type.family]);
  if (type.type === 'Upsample') layer.scale_factor = 2;
  if (type.type.startsWith('CenterCrop')) layer.output_size = 8;
  if (type.type === 'LayerNorm' && shape) layer.normalized_shape = shape.slice(-1);
  if (type.type === 'Mean') layer.dim = [2, 3];
  return layer;
}

/** The layer as another type: what the new type knows is kept. */
export function retype(layer, type) {
  const known = new Set([...type.members.map(({ name }) => name), 'name', 'from', 'expect', 'meta']);
  const kept = Object.fromEntries(Object.entries(layer).filter(([name]) => known.has(name)));
  return { ...newLayer(type, null), ...kept, type: type.type };
}
