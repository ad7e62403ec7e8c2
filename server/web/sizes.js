// Which input sizes work: the law from /v1/sizes, and a strip of the sizes around the one that is set.
import { prose, sentence } from './describe.js';
import { h } from './dom.js';
import { inputShapes, isPair, layersIn, listsOf, setInputSizes, spatialAxes } from './document.js';

const BEFORE = 24; // cells of the strip before the size that is set
const CELLS = 72;

const NAMES = { 1: ['length'], 2: ['height', 'width'], 3: ['depth', 'height', 'width'] };

/** The ways to free sizes of this document's first input: [{key, label, axes}]. */
export function freedoms(document) {
  const [shape] = Object.values(inputShapes(document));
  if (!Array.isArray(shape)) return [];
  const axes = spatialAxes(document, shape.length).filter((axis) => Number.isInteger(shape[axis]));
  if (axes.length === 0 || axes.length > 3) return [];
  const single = axes.map((axis, at) => ({ key: axis, label: `only the ${NAMES[axes.length][at]}`, axes: [axis] }));
  if (axes.length === 1) return [{ ...single[0], label: `the ${NAMES[1][0]}` }];
  return [{ key: 'all', label: 'all axes alike', axes }, ...single];
}

/** The freedom that is chosen, or that suits: all axes where they are equal, else the first. */
export function chosenFreedom(document, sizeAxis) {
  const all = freedoms(document);
  const chosen = all.find(({ key }) => key === sizeAxis);
  if (chosen) return chosen;
  const [shape] = Object.values(inputShapes(document));
  const alike = all[0] && all[0].axes.every((axis) => shape[axis] === shape[all[0].axes[0]]);
  return (alike ? all[0] : all[1]) ?? null;
}

/** The question to /v1/sizes, or null where no size can be free. Expectations are left aside: each fixes the sizes that its
 *  author had in mind, and the question is what else would work. */
export function sizesQuestion(document, freedom) {
  if (!freedom) return null;
  const [shape] = Object.values(inputShapes(document));
  const free = setInputSizes(document, Object.fromEntries(freedom.axes.map((axis) => [axis, 'n'])));
  const question = { near: { n: shape[freedom.axes[0]] } };
  for (const name of ['input', 'inputs', 'layout', 'dtype', 'covered']) if (name in free) question[name] = free[name];
  for (const list of isPair(document) ? ['encoder', 'decoder'] : ['layers']) {
    question[list] = layersIn(document, list).map((layer) => {
      const { expect, ...others } = layer ?? {};
      return expect === undefined ? layer : others;
    });
  }
  return question;
}

/** Whether a size is in a set as /v1/sizes tells it. */
export function works({ period, residues, from, exceptions }, size) {
  return size >= from ? residues.includes(size % period) : exceptions.includes(size);
}

const hasExpectations = (document) => listsOf(document).some((list) => layersIn(document, list).some((layer) => layer?.expect !== undefined));

function strip(set, size, commands, freedom) {
  const first = Math.max(1, size - BEFORE);
  const sizes = Array.from({ length: CELLS }, (_, at) => first + at);
  const onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = step > 0 ? event.target.nextElementSibling : event.target.previousElementSibling;
    next?.focus();
  };
  return h('div', { class: 'strip', role: 'group', 'aria-label': `Sizes from ${first} to ${first + CELLS - 1}`, onkeydown },
    sizes.map((candidate) => {
      const good = works(set, candidate);
      return h('button', {
        key: candidate,
        type: 'button',
        class: good ? 'works' : '',
        tabindex: candidate === size ? '0' : '-1',
        'aria-current': candidate === size ? 'true' : undefined,
        'aria-label': `${candidate} ${good ? 'works' : 'does not work'}`,
        onclick: () => commands.setSizes(freedom.axes, candidate),
      }, candidate);
    }));
}

/** A size as a factor: a sum in brackets, unless it stands within a floor. */
export const factor = (size) => (/[+−]/.test(String(size).replace(/⌊.*?⌋/g, '')) ? `(${size})` : size);

function answerView(answer, document, freedom, commands) {
  const [shape] = Object.values(inputShapes(document));
  const size = shape[freedom.axes[0]];
  const set = answer.symbols.n;
  const { below = null, above = null } = set.nearest ?? {};
  const near = [...new Set([below, above])].filter((value) => value !== null && value !== size);
  const output = answer.output?.includes(null) ? null : answer.output?.map(factor).join(' × ');
  return [
    h('p', { class: 'statement', key: 'statement' }, set.statement),
    output && h('p', { class: 'quiet', key: 'output' }, 'The output is then ', h('span', { class: 'formula' }, output), '.'),
    h('div', { class: 'block', key: 'strip' }, strip(set, size, commands, freedom)),
    near.length > 0 && h('p', { class: 'choices', key: 'near' }, h('span', { class: 'quiet' }, works(set, size) ? 'Also near:' : `${size} does not work. Near it:`),
      near.map((value) => h('button', { type: 'button', key: value, onclick: () => commands.setSizes(freedom.axes, value) }, value))),
    set.fails?.at && h('p', { class: 'quiet', key: 'fails' }, `At ${set.fails.at.size}, ${set.fails.at.layer ?? 'the input'} is the first that fails: `, prose(set.fails.at.finding.detail), '.'),
  ];
}

export function sizesView(state, commands) {
  const { document } = state.history.present;
  const all = freedoms(document);
  const freedom = chosenFreedom(document, state.sizeAxis);
  const { sizes } = state;
  const choice = all.length > 1 && h('p', { class: 'choices block', key: 'choice' },
    h('label', { for: 'size-axis' }, 'Let vary'),
    h('select', { id: 'size-axis', value: String(freedom?.key ?? ''), onchange: (event) => commands.set({ sizeAxis: event.target.value === 'all' ? 'all' : Number(event.target.value) }) },
      all.map(({ key, label }) => h('option', { key, value: String(key) }, label))));
  let body = null;
  if (!freedom) body = h('p', { class: 'quiet', key: 'none' }, 'This input has no spatial size to vary.');
  else if (sizes?.problem) body = h('p', { class: 'quiet', key: 'problem' }, `No answer: ${sentence(sizes.problem.detail)}`);
  else if (sizes?.answer?.symbols?.n) body = answerView(sizes.answer, document, freedom, commands);
  return [
    h('h2', { id: 'sizes-title', key: 'title' }, 'Which sizes work'),
    h('p', { class: 'lede', key: 'lede' }, 'Exact for every size, not a sample.', hasExpectations(document) ? ' Expectations are left aside here.' : ''),
    choice,
    body && h('div', { class: 'block', key: 'body' }, body),
  ];
}
