// What is wrong, where it is wrong, with the repair one click away.
import { prose, sentence } from './describe.js';
import { h } from './dom.js';
import { placeOf } from './document.js';

const inWords = (value) => JSON.stringify(value)?.replaceAll(',', ', ');

const memberOf = (pointer) => pointer.split('/').slice(3).join('/') || 'the layer';

function fixLabel({ fix }, place) {
  const target = placeOf(fix.pointer);
  const elsewhere = target && place && (target.list !== place.list || target.index !== place.index);
  const where = target ? memberOf(fix.pointer) : fix.pointer.slice(1);
  return `Set ${where}${elsewhere ? ` of layer ${target.index + 1}` : ''} to ${inWords(fix.value)}`;
}

/** One finding, or several of one repair: see merged(). */
export function findingView(finding, commands) {
  const { code, severity, axes = [], detail, suggestion, fix, pointer } = finding;
  return h('div', { class: `finding ${severity}`, key: `${code}${pointer}${axes}${detail}` },
    h('p', {},
      h('a', { class: 'code', href: `problems/${code}`, target: '_blank', rel: 'noopener' }, code.replaceAll('_', ' ')),
      axes.length ? h('span', { class: 'quiet' }, ` on ${axes.join(' and ')}`) : null),
    h('p', {}, prose(sentence(detail))),
    suggestion && !fix ? h('p', { class: 'quiet' }, prose(sentence(suggestion))) : null,
    fix && h('div', { class: 'actions' },
      h('button', { type: 'button', onclick: () => commands.applyFixes([finding]) }, fixLabel(finding, placeOf(pointer))),
      suggestion && h('span', { class: 'quiet' }, prose(sentence(suggestion)))));
}
