// The state of the playground and every action that changes it. Pure.
import * as doc from './document.js';
import { createHistory, record, redo, undo } from './history.js';

/** A text and the document that it says. A text that says none keeps the document before it, and why. */
const entryOf = (text, before) => {
  const { document, error } = doc.parseDocument(text);
  return { text, document: document ?? before, error: error ?? null };
};
const entryFrom = (document) => ({ text: doc.formatDocument(document), document, error: null });

export const initialState = (document) => ({
  history: createHistory(entryFrom(document)),
  selected: null, // the place of a layer: {list, index}
  answer: null, // of the newest question: {document, plan}, {document, problem}, {document, failure} or {document, locked}
  sizes: null, // {axis, answer} or {axis, problem}
  sizeAxis: null, // which size of the input is free: an axis, 'all', or null for what suits
  types: new Map(), // layer types by name, from /v1/layers
  examples: [],
  operations: new Set(), // "POST /v1/shapes" …
  measure: 'macs', // what the bars in the list of layers show
  figure: { step: 1, playing: false },
  poolInverse: 'conv_transpose',
  notice: null, // {text, tone}: told once
  dialog: null, // the text of the dialog that is open: {kind, …}
});

export const currentDocument = (state) => state.history.present.document;

/** Keep the selection inside the document. */
function clampSelection(state) {
  const document = currentDocument(state);
  const lists = doc.listsOf(document);
  let place = state.selected;
  if (!place || !lists.includes(place.list)) place = { list: lists[0], index: 0 };
  const count = doc.layersIn(document, place.list).length;
  const index = Math.max(0, Math.min(place.index, count - 1));
  const next = { list: place.list, index };
  return doc.samePlace(next, state.selected) ? state : { ...state, selected: next };
}

const withHistory = (state, history) => clampSelection({ ...state, history });

function change(state, action, document, selected) {
  if (document === currentDocument(state)) return state;
  const history = record(state.history, entryFrom(document), action.label ?? null, action.at ?? 0);
  return clampSelection({ ...state, history, selected: selected ?? state.selected });
}

/** The parts of the state that an action of this type changes. */
const reducers = {
  /** Someone typed in the JSON. */
  text(state, action) {
    const entry = entryOf(action.text, currentDocument(state));
    return withHistory(state, record(state.history, entry, 'text', action.at));
  },
  /** Another document altogether. */
  open: (state, action) => {
    const next = change(state, action, action.document, { list: doc.listsOf(action.document)[0], index: 0 });
    return { ...next, sizeAxis: null, dialog: null, figure: { step: 1, playing: false } };
  },
  /** The page is ready: what it began with cannot be undone. */
  begin: (state) => ({ ...state, history: createHistory(state.history.present) }),
  document: (state, action) => change(state, action, action.document),
  undo: (state) => withHistory(state, undo(state.history)),
  redo: (state) => withHistory(state, redo(state.history)),
  select: (state, action) =>
    clampSelection({ ...state, selected: action.place, figure: { ...state.figure, step: 1, playing: false } }),
  insert(state, { at, layer, place }) {
    return change(state, { at }, doc.insertLayer(currentDocument(state), place, layer), place);
  },
  remove: (state, { at }) => change(state, { at }, doc.removeLayer(currentDocument(state), state.selected)),
  duplicate(state, { at }) {
    const { list, index } = state.selected;
    const document = doc.duplicateLayer(currentDocument(state), state.selected);
    return change(state, { at }, document, { list, index: index + 1 });
  },
  move(state, { at, by }) {
    const { list, index } = state.selected;
    const document = doc.moveLayer(currentDocument(state), state.selected, by);
    return change(state, { at, label: 'move' }, document, { list, index: index + by });
  },
  member(state, { at, name, value }) {
    const { list, index } = state.selected;
    const document = doc.setMember(currentDocument(state), state.selected, name, value);
    return change(state, { at, label: `/${list}/${index}/${name}` }, document);
  },
  rename(state, { at, name }) {
    const { list, index } = state.selected;
    const document = doc.renameLayer(currentDocument(state), state.selected, name);
    return change(state, { at, label: `/${list}/${index}/name` }, document);
  },
  fix(state, { at, fixes }) {
    const document = fixes.reduce((now, fix) => doc.setAtPointer(now, fix.pointer, fix.value), currentDocument(state));
    return change(state, { at }, document);
  },
};

/** Actions without a rule of their own set members of the state: {type: 'set', answer: …}. */
export function reduce(state, action) {
  if (action.type === 'set') {
    const { type, ...members } = action;
    return { ...state, ...members };
  }
  return reducers[action.type](state, action);
}
