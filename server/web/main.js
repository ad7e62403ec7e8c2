// The playground: the store, the questions to the service, and the views put together.
import { plannedLayers } from './answer.js';
import { get, newest, post, postAs, send } from './api.js';
import { convolveQuestion, initialNumbers, numbersView } from './byhand.js';
import { costsView } from './costs.js';
import { toCurl } from './curl.js';
import { dialogView } from './dialog.js';
import * as doc from './document.js';
import { cached, h, render } from './dom.js';
import { editorView, linesOf } from './editor.js';
import { createFigure, forgetFailures } from './figure.js';
import { findingView } from './findings.js';
import { importBytes } from './importing.js';
import { layerView, typeOptions } from './layer.js';
import { newLayer, readShape, retype, stepNumber } from './members.js';
import { toPyTorch } from './pytorch.js';
import { roundtripView } from './roundtrip.js';
import { fromFragment, toFragment } from './share.js';
import { chosenFreedom, sizesQuestion, sizesView } from './sizes.js';
import { addView, inputsView, measureView, rowSpan, stackView } from './stack.js';
import { currentDocument, initialState, reduce } from './state.js';
import { createStore } from './store.js';
import { summaryView } from './summary.js';
import { hasToken, startToken } from './token.js';
import { toolbarView } from './toolbar.js';

const FIRST_EXAMPLE = 'mnist_autoencoder';
const EMPTY = { input: [1, 1, 28, 28], layers: [] }; // until something is opened
const ADDRESS_MS = 400; // after the last change the address holds the document
const NOTICE_MS = 4000;
const WALK_MS = 900;

const element = (id) => document.getElementById(id);
const store = createStore(reduce, { ...initialState(EMPTY), relationships: new Map(), numbers: initialNumbers() });
const now = () => performance.now();
const act = (type, action = {}) => store.dispatch({ type, at: now(), ...action });
const set = (members) => store.dispatch({ type: 'set', ...members });

// ---- Questions --------------------------------------------------------------------------------------------------

const NO_TOTALS = { params: null, macs: null, output_bytes: null, peak_activation_bytes: null };

/** The plan of a stack, or the round trip of a pair. A pair's totals are those of both halves run as one stack. */
async function plan(signal, document) {
  if (!doc.isPair(document)) {
    const reply = await post('v1/shapes', { ...document, explain: true }, signal);
    return { ...reply, totals: reply.body.totals };
  }
  const [reply, joined] = await Promise.all([
    post('v1/roundtrip', { ...document, explain: true }, signal),
    post('v1/shapes', doc.joinPair(document), signal),
  ]);
  return { ...reply, totals: joined.body.totals ?? NO_TOTALS };
}

const askPlan = newest(plan, ({ failure, ok, status, body, totals, milliseconds }, document) => {
  if (status === 401) set({ answer: { document, locked: true } });
  else if (failure) set({ answer: { document, failure } });
  else if (!ok) set({ answer: { document, problem: body } });
  else set({ answer: { document, plan: body, totals, milliseconds } });
});

const askSizes = newest(
  (signal, question) => (question ? post('v1/sizes', question, signal) : Promise.resolve({ ok: true, body: null })),
  ({ failure, ok, status, body }) => {
    if (status === 401) set({ sizes: null });
    else if (!failure) set({ sizes: ok ? { answer: body } : { problem: body } });
  },
);

const askNumbers = newest(
  (signal, question) => post('v1/convolve', question, signal),
  ({ failure, ok, body }) => {
    const reply = failure ? { problem: failure } : ok ? { body } : { problem: body.errors?.[0]?.detail ?? body.detail };
    setNumbers({ reply });
  },
);

const askDecoder = newest(
  (signal, question) => post('v1/decoder', question, signal),
  ({ failure, ok, body }, question, others) => {
    if (failure) return tell(failure);
    if (!ok) return tell(`No decoder: ${body.errors?.[0]?.detail ?? body.detail}.`);
    act('document', { document: { ...others, encoder: question.encoder, decoder: body.decoder } });
    element('roundtrip').scrollIntoView({ block: 'nearest', behavior: calm.matches ? 'auto' : 'smooth' });
  },
);

const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** Ask anew what a change of the state makes a new question. */
function askAgain(state, before) {
  const document = currentDocument(state);
  const changed = document !== currentDocument(before);
  if (changed) askPlan(document);
  if (changed || state.sizeAxis !== before.sizeAxis) askSizes(sizesQuestion(document, chosenFreedom(document, state.sizeAxis)));
  if (changed) saveAddress();
  if (isNewSum(state.numbers, before.numbers)) askNumbers(convolveQuestion(state.numbers));
}

const SUM_MEMBERS = ['type', 'stride', 'padding', 'output_padding', 'dilation', 'input', 'kernel'];
const isNewSum = (numbers, before) => SUM_MEMBERS.some((name) => numbers[name] !== before[name]);

// ---- The address ------------------------------------------------------------------------------------------------

let addressTimer = null;

async function writeAddress() {
  clearTimeout(addressTimer);
  addressTimer = null;
  const fragment = await toFragment(JSON.stringify(currentDocument(store.state)));
  history.replaceState(null, '', fragment);
}

function saveAddress() {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(writeAddress, ADDRESS_MS);
}

async function openAddress() {
  const text = await fromFragment(location.hash);
  const { document } = text ? doc.parseDocument(text) : {};
  if (document) act('open', { document });
  return Boolean(document);
}

// ---- Commands ---------------------------------------------------------------------------------------------------

let noticeTimer = null;

function tell(notice) {
  clearTimeout(noticeTimer);
  set({ notice });
  noticeTimer = setTimeout(() => set({ notice: null }), NOTICE_MS);
}

async function copy(text, told) {
  try {
    await navigator.clipboard.writeText(text);
    tell(told);
  } catch {
    set({ dialog: { kind: 'text', title: 'Copy this', text } });
  }
}

function download(name, type, content) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

const pytorch = () => toPyTorch(store.state.answer.document, plannedLayers(store.state.answer));

async function downloadSvg() {
  const document = doc.isPair(currentDocument(store.state)) ? doc.joinPair(currentDocument(store.state)) : currentDocument(store.state);
  const reply = await send('v1/diagram.svg', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(document) });
  if (reply.ok) return download('network.svg', 'image/svg+xml', await reply.text());
  const problem = await reply.json().catch(() => ({}));
  return tell(reply.status === 404 ? 'This service draws no diagrams.' : problem.errors?.[0]?.detail ?? 'The diagram could not be drawn.');
}

async function openBytes(bytes) {
  const canImport = store.state.operations.has('POST /v1/import');
  const { document, findings, error } = await importBytes(bytes, canImport ? (type, body) => postAs('v1/import', type, body) : null);
  if (error) return set({ dialog: { ...(store.state.dialog ?? { kind: 'open' }), error } });
  act('open', { document });
  if (findings.length) tell(findings.map(({ detail }) => detail).join(' '));
  return null;
}

async function openExample(name) {
  const reply = await get(`v1/examples/${encodeURIComponent(name)}`);
  act('open', { document: reply.body });
}

const setNumbers = (members) => set({ numbers: { ...store.state.numbers, ...members } });

const commands = {
  set,
  setNumbers,
  openExample,
  openBytes,
  openDialog: () => set({ dialog: { kind: 'open' } }),
  closeDialog: () => set({ dialog: null }),
  undo: () => act('undo'),
  redo: () => act('redo'),
  share: async () => {
    await writeAddress();
    await copy(location.href, 'The link is copied. It holds the whole document.');
  },
  copyCurl: () => copy(toCurl(currentDocument(store.state), document.baseURI, hasToken()), 'The command is copied.'),
  copyPyTorch: () => copy(pytorch(), 'The code is copied.'),
  copyJson: () => copy(store.state.history.present.text, 'The JSON is copied.'),
  downloadJson: () => download('network.json', 'application/json', store.state.history.present.text),
  downloadPyTorch: () => download('network.py', 'text/x-python', pytorch()),
  downloadSvg,

  select: (place) => act('select', { place }),
  /** Select a layer from elsewhere on the page, and bring it into sight. */
  reveal(place) {
    act('select', { place });
    element('stack').scrollIntoView({ block: 'nearest', behavior: calm.matches ? 'auto' : 'smooth' });
  },
  revealNamed(list, name) {
    const index = store.state.answer.plan[list].findIndex((layer) => layer.name === name);
    commands.reveal({ list, index });
  },
  focusLayer: () => element('member-type')?.focus(),
  add(typeName) {
    const { state } = store;
    const type = state.types.get(typeName);
    const { list, index } = state.selected ?? { list: 'layers', index: -1 };
    const empty = doc.layersIn(currentDocument(state), list).length === 0;
    const plan = state.answer?.plan?.[list]?.[index];
    act('insert', { layer: newLayer(type, plan?.output ?? null), place: { list, index: empty ? 0 : index + 1 } });
  },
  remove: () => act('remove'),
  duplicate: () => act('duplicate'),
  move: (by) => act('move', { by }),
  setMember: (name, value) => act('member', { name, value }),
  rename: (name) => act('rename', { name }),
  setType(name) {
    const { state } = store;
    const type = state.types.get(name);
    const place = state.selected;
    if (!type) return;
    const layer = retype(doc.layerAt(currentDocument(state), place), type);
    act('document', { document: doc.setAtPointer(currentDocument(state), `/${place.list}/${place.index}`, layer) });
  },
  parseShape: readShape,
  setInput(name, shape) {
    const document = currentDocument(store.state);
    const value = shape ?? [];
    const next = name === null ? { ...document, input: value } : { ...document, inputs: { ...document.inputs, [name]: value } };
    act('document', { document: next, label: `/input/${name}` });
  },
  setSizes(axes, size) {
    const document = doc.setInputSizes(currentDocument(store.state), Object.fromEntries(axes.map((axis) => [axis, size])));
    act('document', { document });
  },
  applyFixes: (findings) => act('fix', { fixes: findings.map(({ fix }) => fix).filter(Boolean) }),
  typeText: (text) => act('text', { text }),
  makeDecoder() {
    const document = currentDocument(store.state);
    const { layers, encoder, decoder, ...others } = document;
    const question = { encoder: encoder ?? layers, pool_inverse: store.state.poolInverse };
    for (const name of ['input', 'dtype', 'layout']) if (name in document) question[name] = document[name];
    askDecoder(question, others);
  },
  split: (count) => act('document', { document: doc.splitStack(currentDocument(store.state), count) }),
  join: () => act('document', { document: doc.joinPair(currentDocument(store.state)) }),
  /** Up and Down in a field change the number at the caret. */
  stepNumber(event) {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
    if (!stepNumber(event.target, by * (event.shiftKey ? 10 : 1))) return;
    event.preventDefault();
    event.target.dispatchEvent(new Event('input', { bubbles: true }));
  },
  scrolled: () => redraw(),
  editorScrolled: () => redraw(),
};

// ---- Views ------------------------------------------------------------------------------------------------------

let drawing = false;

function redraw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(draw);
}

const figureView = createFigure(store, redraw);

const views = {
  toolbar: cached((history, examples, answer) => toolbarView({ history, examples, answer }, commands)),
  costs: cached((answer, history, selected) => costsView({ answer, history, selected }, commands)),
  sizes: cached((history, sizes, sizeAxis) => sizesView({ history, sizes, sizeAxis }, commands)),
  roundtrip: cached((history, answer, poolInverse) => roundtripView({ history, answer, poolInverse }, commands)),
  numbers: cached((numbers) => numbersView({ numbers }, commands)),
  summary: cached((answer) => summaryView({ answer }, commands, findingView)),
  add: cached((types) => addView({ types }, commands, (all) => typeOptions(all, 'Conv2d'))),
};

function draw() {
  drawing = false;
  const { state } = store;
  const rows = element('rows');
  const view = { top: rows?.scrollTop ?? 0, height: rows?.clientHeight || 800 };
  render(element('toolbar'), views.toolbar(state.history, state.examples, state.answer));
  render(element('summary'), views.summary(state.answer));
  render(element('stack-tools'), measureView(state, commands));
  render(element('stack'), [inputsView(state, commands), stackView(state, commands, view)]);
  render(element('stack-add'), views.add(state.types));
  render(element('layer'), layerView(state, commands, figureView));
  render(element('source'), editorView(state, commands, element('json')?.scrollTop ?? 0));
  render(element('costs'), views.costs(state.answer, state.history, state.selected));
  render(element('sizes'), views.sizes(state.history, state.sizes, state.sizeAxis));
  render(element('roundtrip'), views.roundtrip(state.history, state.answer, state.poolInverse));
  render(element('numbers'), views.numbers(state.numbers));
  render(element('notice'), state.notice && h('p', {}, state.notice));
  render(element('dialog'), dialogView(state.dialog, commands));
  const modal = element('dialog').querySelector('dialog');
  if (modal && !modal.open) modal.showModal();
}

/** Scroll a scrolling element so that the span {top, height} of its content is seen. */
function showSpan(scroller, span) {
  if (!scroller || !span) return;
  if (span.top < scroller.scrollTop) scroller.scrollTop = span.top;
  else if (span.top + span.height > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = span.top + span.height - scroller.clientHeight;
}

function followSelection(state, before) {
  if (doc.samePlace(state.selected, before.selected)) return;
  requestAnimationFrame(() => {
    showSpan(element('rows'), rowSpan(currentDocument(state), state.selected));
    if (document.activeElement !== element('json')) showSpan(element('json'), linesOf(state.history.present, state.selected));
  });
}

// ---- Clocks, keys, drops ----------------------------------------------------------------------------------------

let walk = null;

function walkThrough({ numbers }) {
  if (numbers.playing === Boolean(walk)) return;
  clearInterval(walk);
  walk = numbers.playing ? setInterval(() => {
    const { focus, reply } = store.state.numbers;
    const [rows, columns] = reply?.body?.shape?.slice(2) ?? [1, 1];
    const next = (focus[0] * columns + focus[1] + 1) % (rows * columns);
    setNumbers({ focus: [Math.floor(next / columns), next % columns] });
  }, WALK_MS) : null;
}

function onUndoKeys(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key !== 'z' && key !== 'y') return;
  if (event.target.closest('#numbers, dialog')) return;
  event.preventDefault();
  if (key === 'y' || event.shiftKey) commands.redo();
  else commands.undo();
}

async function onDrop(event) {
  const [file] = event.dataTransfer?.files ?? [];
  if (!file) return;
  event.preventDefault();
  await openBytes(new Uint8Array(await file.arrayBuffer()));
}

// ---- Start ------------------------------------------------------------------------------------------------------

/** What the service has to offer; false where it asks for a token first. */
async function readService() {
  const [index, layers, relationships, examples] = await Promise.all([get('./'), get('v1/layers'), get('v1/relationships'), get('v1/examples')]);
  if (layers.status === 401) return false;
  set({
    operations: new Set(index.body.operations.map(({ method, path }) => `${method} ${path}`)),
    types: new Map(layers.body.layers.map((type) => [type.type, type])),
    relationships: new Map(relationships.body.relationships.map((relationship) => [relationship.number, relationship])),
    examples: examples.body.examples,
  });
  return true;
}

async function connect() {
  if (!(await readService())) return askPlan(currentDocument(store.state));
  askNumbers(convolveQuestion(store.state.numbers));
  if (currentDocument(store.state) !== EMPTY) return null;
  await openExample(FIRST_EXAMPLE);
  return store.dispatch({ type: 'begin' });
}

/** There is another token: ask for everything anew. */
async function reconnect() {
  forgetFailures();
  await connect();
  const document = currentDocument(store.state);
  askPlan(document);
  askSizes(sizesQuestion(document, chosenFreedom(document, store.state.sizeAxis)));
}

const unreachable = () => tell('The service cannot be reached. Reload to try again.');

async function start() {
  store.subscribe(askAgain);
  store.subscribe(followSelection);
  store.subscribe(walkThrough);
  store.subscribe(redraw);
  document.addEventListener('keydown', onUndoKeys);
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', onDrop);
  addEventListener('hashchange', openAddress);
  addEventListener('resize', redraw);
  startToken(() => reconnect().catch(unreachable));
  if (await openAddress()) store.dispatch({ type: 'begin' });
  await connect();
}

start().catch(unreachable);
