// The JSON of the document, to be edited as text. The lines of the selected layer have a band behind them, those of layers
// with errors too; the caret selects its layer.
import { findingsOf } from './answer.js';
import { h } from './dom.js';
import { listsOf, placeOf, samePlace } from './document.js';
import { outline } from './outline.js';
import { notRead, recognise } from './importing.js';

const LINE_HEIGHT = 20; // pixels: the textarea's line-height
const PADDING = 12; // pixels above its first line

let outlined = { text: null, places: {} };

/** Where the layers stand in a text; the last answer is kept. */
function placesIn(text, document) {
  if (outlined.text !== text) outlined = { text, places: outline(text, listsOf(document)) };
  return outlined.places;
}

const lineAt = (text, offset) => {
  let line = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
};

/** {top, height} in pixels of a place's lines in the text, before scrolling; null where it has none. */
export function linesOf(entry, place) {
  const span = place && !entry.error && placesIn(entry.text, entry.document)[place.list]?.[place.index];
  if (!span) return null;
  const first = lineAt(entry.text, span.begin);
  const last = lineAt(entry.text, span.end);
  return { top: PADDING + first * LINE_HEIGHT, height: (last - first + 1) * LINE_HEIGHT };
}

function placeAtOffset(entry, offset) {
  if (entry.error) return null;
  for (const [list, spans] of Object.entries(placesIn(entry.text, entry.document))) {
    const index = spans.findIndex(({ begin, end }) => begin <= offset && offset <= end);
    if (index >= 0) return { list, index };
  }
  return null;
}

/** What is wrong with a text that is no document: perhaps it is a model in another form. */
function message(entry, canImport) {
  const { form } = recognise(new TextEncoder().encode(entry.text));
  if (form !== 'pytorch') return entry.error;
  return canImport ? 'This looks like PyTorch’s print(model), not JSON. Use “Open…” for it.' : notRead(form);
}

function band(kind, lines, scrollTop) {
  return h('div', { class: `band ${kind}`, style: { top: `${lines.top - scrollTop}px`, height: `${lines.height}px` } });
}

/** `scrollTop` of the text area, in pixels. */
export function editorView(state, commands, scrollTop) {
  const entry = state.history.present;
  const broken = new Map();
  for (const { pointer, severity } of findingsOf(state.answer)) {
    const place = placeOf(pointer);
    if (place && severity === 'error' && !samePlace(place, state.selected)) broken.set(`${place.list}/${place.index}`, place);
  }
  const bands = [...broken.values()].slice(0, 100).map((place) => ['error', linesOf(entry, place)]);
  bands.push(['chosen', linesOf(entry, state.selected)]);
  const follow = (event) => {
    const place = placeAtOffset(entry, event.target.selectionStart);
    if (place && !samePlace(place, state.selected)) commands.select(place, 'editor');
  };
  return [
    h('div', { class: 'editor-area', key: 'area' },
      bands.filter(([, lines]) => lines).map(([kind, lines]) => band(kind, lines, scrollTop)),
      h('textarea', {
        key: 'text',
        id: 'json',
        value: entry.text,
        spellcheck: 'false',
        autocomplete: 'off',
        autocapitalize: 'off',
        'aria-label': 'The document as JSON',
        'aria-invalid': entry.error ? 'true' : 'false',
        'aria-describedby': entry.error ? 'json-error' : undefined,
        oninput: (event) => commands.typeText(event.target.value),
        onclick: follow,
        onkeyup: follow,
        onscroll: commands.editorScrolled,
      })),
    entry.error && h('p', { class: 'editor-message', id: 'json-error', role: 'status', key: 'message' }, message(entry, state.operations.has('POST /v1/import'))),
  ];
}
