// The guide's figure of the selected layer: its window over a small input, position by position.
import { spatialSizes } from './answer.js';
import { send } from './api.js';
import { h } from './dom.js';
import { figureOf } from './figure_query.js';

const FRAME_MS = 700;
const MOST_FRAMES = 400; // kept; each is a few kilobytes

const frames = new Map(); // path → {url, text} or {failure}, or a promise of it

/** What the picture says to those who do not see it. Its styles are left out: parsing them here would break the page's
 *  content policy. */
function describe(svg) {
  const parsed = new DOMParser().parseFromString(svg.replace(/<style[^]*?<\/style>/g, ''), 'image/svg+xml');
  const read = (name) => parsed.documentElement.querySelector(`:scope > ${name}`)?.textContent ?? '';
  return [read('title'), read('desc')].filter(Boolean).join(' ');
}

async function load(path) {
  try {
    const reply = await send(path, { headers: { Accept: 'image/svg+xml' } });
    if (!reply.ok) {
      const problem = await reply.json().catch(() => ({}));
      return { failure: reply.status === 404 ? 'This service draws no figures.' : problem.detail ?? 'The figure could not be drawn.' };
    }
    const text = await reply.text();
    return { url: URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' })), text: describe(text) };
  } catch {
    return { failure: 'The service cannot be reached.' };
  }
}

/** A frame, if it is here; else it is fetched, and `arrived` is called. */
function frame(path, arrived) {
  const known = frames.get(path);
  if (known instanceof Promise) {
    known.then(arrived); // fetched ahead of its turn, it may have been asked for by no view
    return null;
  }
  if (known) return known;
  const loading = load(path).then((loaded) => {
    frames.set(path, loaded);
    arrived();
  });
  frames.set(path, loading);
  if (frames.size > MOST_FRAMES) {
    const [oldest, dropped] = frames.entries().next().value;
    if (dropped.url) URL.revokeObjectURL(dropped.url);
    frames.delete(oldest);
  }
  return null;
}

/** Ask again for what could not be had. */
export function forgetFailures() {
  for (const [path, { failure }] of frames) if (failure) frames.delete(path);
}

const stepPath = (figure, step) => `${figure.path}&step=${step}`;

/** A view of the figure, and its clock. `redraw` is called when a frame has arrived. */
export function createFigure(store, redraw) {
  let timer = null;
  let steps = 1;
  let shown = null; // the frame on the screen, which stays until the next is here

  const setFigure = (change) => store.dispatch({ type: 'set', figure: { ...store.state.figure, ...change } });

  const tick = () => {
    const { step } = store.state.figure;
    setFigure({ step: step >= steps ? 1 : step + 1 });
  };

  const schedule = (playing) => {
    if (playing && !timer) timer = setInterval(tick, FRAME_MS);
    if (!playing && timer) {
      clearInterval(timer);
      timer = null;
    }
  };

  const player = (step) =>
    h('div', { class: 'player' },
      h('button', { type: 'button', onclick: () => setFigure({ playing: !store.state.figure.playing }) }, store.state.figure.playing ? 'Pause' : 'Play'),
      h('button', { type: 'button', 'aria-label': 'Step back', disabled: step <= 1, onclick: () => setFigure({ step: step - 1, playing: false }) }, '‹'),
      h('button', { type: 'button', 'aria-label': 'Step forward', disabled: step >= steps, onclick: () => setFigure({ step: step + 1, playing: false }) }, '›'),
      h('input', {
        type: 'range', min: '1', max: String(steps), value: String(step), 'aria-label': 'Position of the window',
        oninput: (event) => setFigure({ step: Number(event.target.value), playing: false }),
      }),
      h('span', { class: 'quiet' }, `${step} of ${steps}`));

  return function figureView(state, layer, source) {
    const figure = figureOf(layer, spatialSizes(state.history.present.document, source));
    if (figure.reason) {
      schedule(false);
      return h('p', { class: 'quiet figure', key: 'figure' }, figure.reason);
    }
    steps = figure.steps;
    const step = Math.min(state.figure.step, steps);
    schedule(state.figure.playing && steps > 1);
    const now = frame(stepPath(figure, step), redraw);
    if (now?.url) shown = now;
    if (now && step < steps) frame(stepPath(figure, step + 1), () => {});
    if (now?.failure) return h('p', { class: 'quiet figure', key: 'figure' }, now.failure);
    return h('figure', { class: 'figure', key: 'figure' },
      shown && h('img', { src: shown.url, alt: shown.text || 'A window sliding over its input' }),
      h('figcaption', {}, figure.reduced
        ? `The same window over a smaller input, ${figure.sizes.join(' × ')}, with the same remainder.`
        : 'Blue is the input of this layer, green its output.'),
      steps > 1 && player(step));
  };
}
