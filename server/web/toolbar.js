// The row of commands at the top: where to start from, undo, share, copy, download.
import { h } from './dom.js';
import { canRedo, canUndo } from './history.js';

const closeMenu = (event) => event.currentTarget.closest('details')?.removeAttribute('open');

/** A button that opens a list of commands; closes on Escape, on a choice, and when the focus leaves. */
function menu(label, items) {
  const onkeydown = (event) => {
    if (event.key !== 'Escape') return;
    event.currentTarget.removeAttribute('open');
    event.currentTarget.querySelector('summary').focus();
  };
  const onfocusout = (event) => {
    if (event.relatedTarget && !event.currentTarget.contains(event.relatedTarget)) event.currentTarget.removeAttribute('open');
  };
  const commands = items.map(({ text, act, disabled }) =>
    h('button', { type: 'button', disabled, onclick: (event) => (closeMenu(event), act()) }, text));
  return h('details', { class: 'menu', onkeydown, onfocusout },
    h('summary', { class: 'button' }, label), h('div', { class: 'menu-items' }, commands));
}

export function toolbarView(state, commands) {
  const { history, examples, answer } = state;
  const chooseExample = (event) => {
    const { value } = event.target;
    event.target.value = '';
    if (value) commands.openExample(value);
  };
  return [
    h('select', { 'aria-label': 'Start from an example', onchange: chooseExample },
      h('option', { value: '' }, 'Start from…'),
      examples.map(({ name, title, layers }) => h('option', { key: name, value: name }, `${title} (${layers})`))),
    h('button', { type: 'button', onclick: commands.openDialog }, 'Open…'),
    h('span', { class: 'gap' }),
    h('button', { type: 'button', disabled: !canUndo(history), onclick: commands.undo, title: 'Ctrl+Z' }, 'Undo'),
    h('button', { type: 'button', disabled: !canRedo(history), onclick: commands.redo, title: 'Ctrl+Shift+Z' }, 'Redo'),
    h('span', { class: 'gap' }),
    h('button', { type: 'button', onclick: commands.share }, 'Share'),
    menu('Copy', [
      { text: 'As curl', act: commands.copyCurl },
      { text: 'As PyTorch', act: commands.copyPyTorch, disabled: !answer?.plan || hasErrors(answer.plan) },
      { text: 'As JSON', act: commands.copyJson },
    ]),
    menu('Download', [
      { text: 'JSON', act: commands.downloadJson },
      { text: 'SVG diagram', act: commands.downloadSvg },
      { text: 'PyTorch code', act: commands.downloadPyTorch, disabled: !answer?.plan || hasErrors(answer.plan) },
    ]),
  ];
}

/** Code needs every shape. A pair that does not round-trip has them all. */
const hasErrors = (plan) =>
  [...(plan.layers ?? []), ...(plan.encoder ?? []), ...(plan.decoder ?? [])].some((layer) => layer.output === null);
