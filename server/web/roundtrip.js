// Encoder and decoder face to face: the outermost stages on top, what both share at the bottom.
import { h } from './dom.js';
import { formula } from './describe.js';
import { isPair, layersIn, likelySplit, placeOf } from './document.js';
import { shape } from './numbers.js';

const INVERSES = { conv_transpose: 'a transposed convolution', unpool: 'unpooling', upsample: 'upsampling' };

function inverseChoice(state, commands) {
  return [
    h('label', { for: 'pool-inverse', key: 'label' }, 'Undo a pool by'),
    h('select', { id: 'pool-inverse', key: 'select', value: state.poolInverse, onchange: (event) => commands.set({ poolInverse: event.target.value }) },
      Object.entries(INVERSES).map(([value, text]) => h('option', { key: value, value }, text))),
  ];
}

function splitChoice(document, commands) {
  const layers = layersIn(document, 'layers');
  const split = likelySplit(document);
  if (split === 0 || split === layers.length) return null;
  return h('p', { class: 'choices block', key: 'split' },
    h('span', {}, `Layer ${split + 1} (${layers[split].name ?? layers[split].type}) begins to enlarge.`),
    h('button', { type: 'button', onclick: () => commands.split(split) }, 'Read as encoder and decoder'));
}

const sizesOf = (axes, member) => axes.map((axis) => axis[member]).join('×');
const most = (pairs) => Math.max(1, ...pairs.flatMap(({ axes }) => axes.flatMap(({ i, output }) => [i, output])));

function stageView(pair, pairs, findings, state, commands) {
  const { axes } = pair;
  const wrong = axes.some((axis) => !axis.round_trips);
  const largest = most(pairs);
  const width = (member) => `${Math.max(8, (100 * Math.max(...axes.map((axis) => axis[member]))) / largest)}%`;
  const [first] = axes;
  const repair = findings.find((finding) => finding.fix && finding.layer === pair.decoder);
  const formulas = axes.map((axis) => axis.formula).filter((text, at, all) => text && all.indexOf(text) === at);
  return h('div', { class: `stage${wrong ? ' wrong' : ''}`, key: `${pair.encoder}/${pair.decoder}`, role: 'listitem' },
    h('div', { class: 'side left' },
      h('button', { type: 'button', onclick: () => commands.revealNamed('encoder', pair.encoder) }, pair.encoder),
      h('p', { class: 'quiet' }, `takes ${sizesOf(axes, 'i')}`)),
    h('div', { class: 'extent left' }, h('span', { style: { width: width('i') } }, sizesOf(axes, 'i'))),
    h('div', { class: 'extent right' }, h('span', { style: { width: width('output') } }, sizesOf(axes, 'output'))),
    h('div', { class: 'side right' },
      h('button', { type: 'button', onclick: () => commands.revealNamed('decoder', pair.decoder) }, pair.decoder),
      h('p', { class: 'quiet' }, wrong ? `should give ${sizesOf(axes, 'expected')}` : `gives it back${first.a === undefined || first.a === null ? '' : `, a = ${sizesOf(axes, 'a')}`}`)),
    (wrong || repair) && h('div', { class: 'stage-detail' },
      formulas.map((text) => h('p', { key: text }, formula(text))),
      repair && h('button', { type: 'button', onclick: () => commands.applyFixes([repair]) },
        `Set ${repair.fix.pointer.split('/').slice(3).join('/')} to ${JSON.stringify(repair.fix.value).replaceAll(',', ', ')}`)));
}

function pairView(state, commands) {
  const { document } = state.history.present;
  const plan = state.answer?.plan;
  const pairs = plan?.pairs ?? [];
  const repairs = (plan?.findings ?? []).filter((finding) => finding.fix && placeOf(finding.pointer)?.list === 'decoder');
  return [
    h('p', { class: 'choices block', key: 'commands' },
      repairs.length > 0 && h('button', { type: 'button', class: 'primary', onclick: () => commands.applyFixes(repairs) }, repairs.length === 1 ? 'Apply the fix' : `Apply all ${repairs.length} fixes`),
      h('button', { type: 'button', onclick: commands.makeDecoder, disabled: layersIn(document, 'encoder').length === 0 }, 'Make the decoder anew'),
      inverseChoice(state, commands),
      h('button', { type: 'button', onclick: commands.join }, 'Join to one stack')),
    pairs.length > 0 && h('div', { class: 'mirror block', role: 'list', 'aria-label': 'Stages, the outermost first', key: 'mirror' },
      pairs.slice().reverse().map((pair) => stageView(pair, pairs, plan.findings, state, commands)),
      h('div', { class: 'stage last', role: 'listitem', key: 'latent' },
        h('div', { class: 'stage-detail' }, h('span', { class: 'quiet' }, 'what both share: '), shape(plan.latent)))),
    plan && pairs.length === 0 && h('p', { class: 'quiet block', key: 'none' }, 'No stage changes a size.'),
  ];
}

export function roundtripView(state, commands) {
  const { document } = state.history.present;
  const pair = isPair(document);
  return [
    h('h2', { id: 'roundtrip-title', key: 'title' }, 'There and back'),
    h('p', { class: 'lede', key: 'lede' }, pair
      ? 'Each stage of the decoder has to give back the size that its partner took. A stride maps several sizes to one; output padding says which was meant (Relationship 14).'
      : 'Take this stack as an encoder, and have the decoder made that undoes it, stage by stage.'),
    pair ? pairView(state, commands) : [
      h('p', { class: 'choices block', key: 'make' },
        h('button', { type: 'button', onclick: commands.makeDecoder, disabled: layersIn(document, 'layers').length === 0 }, 'Make the decoder'), inverseChoice(state, commands)),
      splitChoice(document, commands),
    ],
  ];
}
