// Questions to the service that the page comes from. Every reply is {ok, status, body, milliseconds}; a service that cannot
// be reached throws.
import { authorization, tokenRefused } from './token.js';

const TIMEOUT_MS = 20000;

function serverTime(reply) {
  const timing = reply.headers.get('Server-Timing') || '';
  const durations = [...timing.matchAll(/dur=([\d.]+)/g)].map((match) => Number(match[1]));
  return durations.length ? durations.reduce((sum, duration) => sum + duration, 0) : null;
}

/** fetch(), with the token where there is one. */
export async function send(path, options = {}) {
  const reply = await fetch(path, { ...options, headers: { ...options.headers, ...authorization() } });
  if (reply.status === 401) tokenRefused();
  return reply;
}

async function ask(path, options) {
  const signal = AbortSignal.any
    ? AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(options.signal ? [options.signal] : [])])
    : options.signal;
  const reply = await send(path, { ...options, signal });
  const isJson = /json/.test(reply.headers.get('Content-Type') || '');
  const body = isJson ? await reply.json() : await reply.text();
  return { ok: reply.ok, status: reply.status, body, milliseconds: serverTime(reply) };
}

export const get = (path, signal) => ask(path, { signal, headers: { Accept: 'application/json' } });

export const post = (path, value, signal) =>
  ask(path, { method: 'POST', signal, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) });

export const postAs = (path, type, body, signal) =>
  ask(path, { method: 'POST', signal, headers: { 'Content-Type': type }, body });

/** A question that is asked anew at every change, where only the newest answer counts: asking again aborts the question
 *  before, and an answer that comes late all the same is dropped. `question(signal, …args)` gives a promise; `take` gets
 *  its value, or {failure} when the service could not be reached. */
export function newest(question, take) {
  let asked = 0;
  let running = null;
  return async (...args) => {
    const number = ++asked;
    running?.abort();
    running = new AbortController();
    let answer;
    try {
      answer = await question(running.signal, ...args);
    } catch (error) {
      answer = { failure: error.name === 'TimeoutError' ? 'The service did not answer in time.' : 'The service cannot be reached.' };
    }
    if (number === asked) take(answer, ...args);
  };
}
