// The verdict in a sentence, the way from input to output, and the totals.
import { findingsOf, merged } from './answer.js';
import { h } from './dom.js';
import { inputShapes, isPair, placeOf } from './document.js';
import { bytes, duration, exact, plural, shape, short } from './numbers.js';

function verdict(answer, count) {
  if (!answer) return { text: 'Planning…', tone: '' };
  if (answer.locked) return { text: 'A token is needed.', tone: '' };
  if (answer.failure) return { text: answer.failure, tone: 'error' };
  if (answer.problem) return { text: answer.problem.title, tone: 'error' };
  const pair = isPair(answer.document);
  if (answer.plan.valid) return { text: pair ? 'The decoder undoes the encoder.' : 'Every shape works out.', tone: '' };
  return { text: count ? `${plural(count, 'thing')} to mend.` : 'It does not work out.', tone: 'error' };
}

const total = (label, value, precise) =>
  h('div', {}, h('dt', {}, label), h('dd', { title: precise }, value));

function totalsView({ totals, milliseconds }) {
  const count = (value) => (value === null || value === undefined ? 'not known' : exact(value));
  return h('dl', { class: 'totals' },
    total('Parameters', short(totals.params), count(totals.params)),
    total('Multiplications', short(totals.macs), count(totals.macs)),
    total('All outputs', bytes(totals.output_bytes), `${count(totals.output_bytes)} bytes`),
    total('Peak memory', bytes(totals.peak_activation_bytes), `${count(totals.peak_activation_bytes)} bytes of activations alive at once`),
    milliseconds !== null && total('Planned in', duration(milliseconds), 'in the service, as it tells in Server-Timing'));
}

/** Findings that belong to no layer, such as those of the input. */
export function looseFindings(answer) {
  return merged(findingsOf(answer)).filter(({ pointer }) => !placeOf(pointer));
}

export function summaryView(state, commands, findingView) {
  const { answer } = state;
  const errors = merged(findingsOf(answer)).filter(({ severity }) => severity === 'error');
  const { text, tone } = verdict(answer, errors.length);
  const plan = answer?.plan;
  const inputs = answer ? Object.values(inputShapes(answer.document)).map(shape) : [];
  const first = errors.find(({ pointer }) => placeOf(pointer));
  const loose = looseFindings(answer);
  const repairs = errors.filter(({ fix }) => fix);
  return [
    h('div', { class: 'judgement' },
      h('div', { class: 'verdict-row' },
        h('p', { class: `verdict ${tone}`, role: 'status' }, text),
        first && h('button', { type: 'button', onclick: () => commands.reveal(placeOf(first.pointer)) }, 'Show the first'),
        repairs.length > 1 && h('button', { type: 'button', onclick: () => commands.applyFixes(repairs) }, 'Apply every fix')),
      h('p', { class: 'journey' },
        h('span', { class: 'in' }, inputs.join(', ') || 'no input'), ' → ',
        plan?.latent ? [h('span', {}, shape(plan.latent)), ' → '] : null,
        h('span', { class: 'out' }, shape(plan?.output)))),
    plan && answer.totals && totalsView(answer),
    loose.length > 0 && h('div', { class: 'problem findings' }, loose.map((finding) => findingView(finding, commands))),
  ];
}
