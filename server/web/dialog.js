// The dialogs: open a document, and a text to copy by hand.
import { h } from './dom.js';

const encode = (text) => new TextEncoder().encode(text);

function openForm(dialog, commands) {
  const submit = (event) => {
    event.preventDefault();
    commands.openBytes(encode(event.target.elements.text.value));
  };
  const choose = async (event) => {
    const [file] = event.target.files;
    if (file) commands.openBytes(new Uint8Array(await file.arrayBuffer()));
  };
  return h('form', { onsubmit: submit },
    h('h2', {}, 'Open'),
    h('label', { for: 'open-text', class: 'quiet' }, 'Paste a stack as JSON, or drop a file anywhere on the page.'),
    h('textarea', { id: 'open-text', name: 'text', spellcheck: 'false', autocomplete: 'off', 'aria-describedby': 'open-error' }),
    h('p', { id: 'open-error', role: 'alert', class: dialog.error ? 'finding error' : '' }, dialog.error ?? ''),
    h('div', { class: 'actions' },
      h('div', {}, h('input', { type: 'file', 'aria-label': 'A file', onchange: choose })),
      h('div', {},
        h('button', { type: 'button', onclick: commands.closeDialog }, 'Cancel'),
        h('button', { type: 'submit', class: 'primary' }, 'Open'))));
}

function textForm(dialog, commands) {
  return h('form', { onsubmit: (event) => (event.preventDefault(), commands.closeDialog()) },
    h('h2', {}, dialog.title),
    h('textarea', { readonly: true, 'aria-label': dialog.title, onfocus: (event) => event.target.select() }, dialog.text),
    h('div', { class: 'actions' }, h('span', {}), h('button', { type: 'submit', class: 'primary' }, 'Close')));
}

export function dialogView(dialog, commands) {
  if (!dialog) return null;
  return h('dialog', { key: dialog.kind, 'aria-label': dialog.kind === 'open' ? 'Open a document' : dialog.title, onclose: commands.closeDialog },
    dialog.kind === 'open' ? openForm(dialog, commands) : textForm(dialog, commands));
}
