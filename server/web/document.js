// The document that the page edits is the request itself: {input, layers} (a stack) or {input, encoder, decoder} (a pair).
// All functions are pure; a document is never changed, and what did not change is shared between the old and the new one.

export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
export const isPair = (document) => 'encoder' in document || 'decoder' in document;

/** Names of the members that hold layers, in the order in which the layers run. */
export const listsOf = (document) => (isPair(document) ? ['encoder', 'decoder'] : ['layers']);

export const layersIn = (document, list) => (Array.isArray(document[list]) ? document[list] : []);

/** Every layer with its place, in the order in which they run. */
export const allLayers = (document) =>
  listsOf(document).flatMap((list) => layersIn(document, list).map((layer, index) => ({ layer, list, index })));

export function layerAt(document, place) {
  const layer = place && layersIn(document, place.list)[place.index];
  return isObject(layer) ? layer : null;
}

/** The layer that a pointer such as /layers/3/kernel_size leads into, or null. */
export function placeOf(pointer) {
  const match = /^\/(layers|encoder|decoder)\/(\d+)(?:\/|$)/.exec(pointer || '');
  return match ? { list: match[1], index: Number(match[2]) } : null;
}

export const samePlace = (a, b) => a?.list === b?.list && a?.index === b?.index;

// ---- Changes ----------------------------------------------------------------------------------------------------

function changeList(document, list, change) {
  const layers = layersIn(document, list).slice();
  change(layers);
  return { ...document, [list]: layers };
}

const changeLayer = (document, { list, index }, change) =>
  changeList(document, list, (layers) => {
    layers[index] = change(layers[index]);
  });

/** Set a member of a layer; `undefined` removes it. */
export const setMember = (document, place, name, value) =>
  changeLayer(document, place, (layer) => withMember(layer, name, value));

function withMember(object, name, value) {
  const next = { ...object, [name]: value };
  if (value === undefined) delete next[name];
  return next;
}

export const insertLayer = (document, { list, index }, layer) =>
  changeList(document, list, (layers) => layers.splice(index, 0, layer));

export const removeLayer = (document, { list, index }) =>
  changeList(document, list, (layers) => layers.splice(index, 1));

export function moveLayer(document, { list, index }, by) {
  const target = index + by;
  if (target < 0 || target >= layersIn(document, list).length) return document;
  return changeList(document, list, (layers) => layers.splice(target, 0, ...layers.splice(index, 1)));
}

/** A name that no layer has: `name`, or `name_2`, `name_3` … */
export function freshName(document, name) {
  const taken = new Set(allLayers(document).map(({ layer }) => layer?.name));
  let candidate = name;
  for (let number = 2; taken.has(candidate); number++) candidate = `${name}_${number}`;
  return candidate;
}

export function duplicateLayer(document, place) {
  const layer = layerAt(document, place);
  const copy = layer.name ? { ...layer, name: freshName(document, layer.name) } : { ...layer };
  return insertLayer(document, { list: place.list, index: place.index + 1 }, copy);
}

/** Change the name of a layer, and with it every `from` and `like` that meant it. */
export function renameLayer(document, place, name) {
  const old = layerAt(document, place).name;
  let renamed = setMember(document, place, 'name', name || undefined);
  if (!old || !name) return renamed;
  const follow = (value) => (value === old ? name : value);
  for (const list of listsOf(document)) {
    renamed = {
      ...renamed,
      [list]: layersIn(renamed, list).map((layer) => {
        if (!isObject(layer)) return layer;
        let next = layer;
        if ('from' in layer) {
          const from = Array.isArray(layer.from) ? layer.from.map(follow) : follow(layer.from);
          if (JSON.stringify(from) !== JSON.stringify(layer.from)) next = { ...next, from };
        }
        return layer.like === old ? { ...next, like: name } : next;
      }),
    };
  }
  return renamed;
}

const unescapeToken = (token) => token.replaceAll('~1', '/').replaceAll('~0', '~');

/** Put `value` where a JSON pointer (RFC 6901) leads, making the last member where it is missing. */
export function setAtPointer(document, pointer, value) {
  const set = (node, [token, ...rest]) => {
    const next = rest.length ? set(node?.[token], rest) : value;
    if (Array.isArray(node)) return node.map((item, at) => (String(at) === token ? next : item));
    return { ...node, [token]: next };
  };
  const tokens = pointer.split('/').slice(1).map(unescapeToken);
  return tokens.length ? set(document, tokens) : value;
}

// ---- Stacks and pairs -------------------------------------------------------------------------------------------

/** The first `count` layers become the encoder, the others the decoder. */
export function splitStack(document, count) {
  const { layers, ...others } = document;
  return { ...others, encoder: layers.slice(0, count), decoder: layers.slice(count) };
}

export function joinPair(document) {
  const { encoder, decoder, ...others } = document;
  return { ...others, layers: [...layersIn(document, 'encoder'), ...layersIn(document, 'decoder')] };
}

// Sizes grow here, so a decoder has begun.
const EXPANDS = /^(ConvTranspose|MaxUnpool)\dd$|^(Upsample|PixelShuffle)$/;

/** Where the decoder of a stack begins, by the first layer that makes sizes larger; its length if there is none. */
export function likelySplit(document) {
  const layers = layersIn(document, 'layers');
  const first = layers.findIndex((layer) => EXPANDS.test(layer?.type));
  return first < 0 ? layers.length : first;
}

// ---- The input ---------------------------------------------------------------------------------------------------

/** Indices of the spatial sizes of a shape of this rank. */
export function spatialAxes(document, rank) {
  const first = document.layout === 'channels_last' ? 1 : 2;
  return Array.from({ length: Math.max(rank - 2, 0) }, (_, at) => first + at);
}

/** The shapes of the inputs by name; `input` is the name where there is one without. */
export function inputShapes(document) {
  if (isObject(document.inputs)) return document.inputs;
  return Array.isArray(document.input) ? { input: document.input } : {};
}

/** Replace the sizes of the given axes in every input that has the first one's sizes there. `values` has one entry per axis
 *  that changes: {axis: value}. */
export function setInputSizes(document, values) {
  const shapes = inputShapes(document);
  const [first] = Object.values(shapes);
  const change = (shape) => shape.map((size, axis) => (axis in values && size === first[axis] ? values[axis] : size));
  if (!first) return document;
  if (!isObject(document.inputs)) return { ...document, input: change(first) };
  const inputs = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, Array.isArray(shape) ? change(shape) : shape]),
  );
  return { ...document, inputs };
}

// ---- Text --------------------------------------------------------------------------------------------------------

function inline(value) {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${inline(member)}`);
  return `{${members.join(', ')}}`;
}

/** One line per member, one per layer. */
export function formatDocument(document) {
  const lines = Object.entries(document).map(([name, value]) => {
    const isList = ['layers', 'encoder', 'decoder'].includes(name) && Array.isArray(value) && value.length > 0;
    const written = isList ? `[\n${value.map((layer) => `    ${inline(layer)}`).join(',\n')}\n  ]` : inline(value);
    return `  ${JSON.stringify(name)}: ${written}`;
  });
  return `{\n${lines.join(',\n')}\n}\n`;
}

/** {document} or {error}: a text that the page can edit is a JSON object. */
export function parseDocument(text) {
  try {
    const value = JSON.parse(text);
    return isObject(value) ? { document: value } : { error: 'The text must be one JSON object: { "input": …, "layers": … }' };
  } catch (error) {
    return { error: String(error.message) };
  }
}
