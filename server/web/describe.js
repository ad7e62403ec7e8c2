// Layers in few words, and formulas set as mathematics.
import { h } from './dom.js';

const list = (value) => (Array.isArray(value) ? value.map((item) => (Array.isArray(item) ? item.join(':') : item)).join('×') : value);
const square = (value, axes) => (Array.isArray(value) ? list(value) : Array(axes || 1).fill(value).join('×'));

// The order in which members are told, each as short as it can be said.
const SAID = {
  kernel_size: (value, axes) => square(value, axes),
  stride: (value) => (value === 1 ? '' : `s ${list(value)}`),
  padding: (value) => (value === 0 ? '' : typeof value === 'string' ? value : `p ${list(value)}`),
  dilation: (value) => (value === 1 ? '' : `d ${list(value)}`),
  output_padding: (value) => (value === 0 ? '' : `a ${list(value)}`),
  groups: (value) => (value === 1 ? '' : `groups ${value}`),
  output_size: (value) => `to ${list(value)}`,
  like: (value) => `like ${value}`,
  scale_factor: (value) => `× ${list(value)}`,
  size: (value) => `to ${list(value)}`,
  mode: (value) => value,
  upscale_factor: (value) => `× ${value}`,
  downscale_factor: (value) => `÷ ${value}`,
  dim: (value) => `dim ${list(value)}`,
  shape: (value) => list(value),
  dims: (value) => list(value),
  num_groups: (value) => `${value} groups`,
  p: (value) => `p ${value}`,
};

/** "7×7, s 2, p 3" */
export function describeMembers(layer, axes) {
  const said = Object.entries(SAID)
    .filter(([name]) => layer[name] !== undefined && layer[name] !== null)
    .map(([name, say]) => say(layer[name], axes))
    .filter(Boolean);
  return said.join(', ');
}

// A variable of the guide: one letter, with its circumflex, tilde or prime.
const VARIABLE = /((?<![A-Za-z_])[a-zĩ]\u0302?′?(?![A-Za-z_]))/u;

/** A formula such as "o = ⌊(i + 2p − k)/s⌋ + 1 = … = 112": variables in italics, broken only before an equals sign. */
export function formula(text) {
  const terms = text.split(/(?= = )/);
  return h('span', { class: 'formula' }, terms.map((term) =>
    h('span', { class: 'term' }, term.split(VARIABLE).map((part, at) => (at % 2 ? h('var', {}, part) : part.replaceAll(' ', '\u00a0'))))));
}

/** A remark of the service as a sentence: "pad more" → "Pad more.", but names and signs at the beginning stay as they are. */
export const sentence = (text) =>
  text.replace(/^(a|[a-z]{2,})(?=[\s,])/, (word) => word[0].toUpperCase() + word.slice(1)).replace(/(?<![.?!…])$/, '.');

/** What stands in backquotes becomes code. */
export const prose = (text) => text.split('`').map((part, at) => (at % 2 ? h('code', {}, part) : part));
