// The bearer token of a server that asks for one. It stays in this tab: never in the address, nor in what is copied.
import { h, render } from './dom.js';

const KEY = 'token';

// A browser may keep no storage for this page: then a reload forgets the token.
function storage(work) {
  try {
    return work(sessionStorage);
  } catch {
    return null;
  }
}

let kept = storage((session) => session.getItem(KEY)) ?? '';
let open = false; // the form is shown
let wrong = false; // what was given is no token of this server
let changed = () => {}; // someone gave another: ask again

export const hasToken = () => kept !== '';

/** The headers that a question needs beside its own. */
export const authorization = () => (kept ? { Authorization: `Bearer ${kept}` } : {});

function keep(text) {
  kept = text;
  storage((session) => (text ? session.setItem(KEY, text) : session.removeItem(KEY)));
}

const place = () => document.getElementById('token');
const isHeader = (text) => /^[!-~]*$/.test(text); // what no header can carry is never sent

function use(text) {
  wrong = !isHeader(text);
  open = wrong;
  if (!wrong) keep(text);
  draw();
  if (wrong) return;
  place().querySelector('button')?.focus();
  changed();
}

/** Open the form, or close it. */
export function showToken(isOpen) {
  open = isOpen;
  wrong = false;
  draw();
  (document.getElementById('token-text') ?? place().querySelector('button'))?.focus();
}

/** The server answered 401: show where a token goes. The caret goes there only where it is nowhere else. */
export function tokenRefused() {
  open = true;
  wrong = hasToken();
  draw();
  const { activeElement } = document;
  if (activeElement === document.body || place().contains(activeElement)) document.getElementById('token-text').focus();
}

function formView() {
  const submit = (event) => {
    event.preventDefault();
    use(event.target.elements.token.value.trim());
  };
  const onkeydown = (event) => {
    if (event.key === 'Escape' && hasToken() && !wrong) showToken(false);
  };
  return h('form', { class: 'token', onsubmit: submit, onkeydown, 'aria-label': 'Token' },
    h('label', { for: 'token-text' }, 'Token'),
    h('input', { id: 'token-text', name: 'token', type: 'password', required: true, autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'token-about' }),
    h('button', { type: 'submit', class: 'primary' }, 'Use'),
    hasToken() && h('button', { type: 'button', onclick: () => use('') }, 'Forget'),
    hasToken() && !wrong && h('button', { type: 'button', onclick: () => showToken(false) }, 'Cancel'),
    h('p', { id: 'token-about', class: wrong ? 'wrong' : 'quiet', role: 'status' }, wrong
      ? 'This server does not take that token.'
      : 'This server answers those who send a token. It is kept in this tab alone.'));
}

function draw() {
  const button = () => h('button', { type: 'button', class: 'plain', onclick: () => showToken(true) }, 'Token…');
  render(place(), open ? formView() : hasToken() && button());
}

/** Show the form, or the way to it, where one is needed. `asked` is called when the token is another. */
export function startToken(asked = () => {}) {
  changed = asked;
  draw();
}
