// Numbers as people read them.

const THIN = '\u202f';

/** 25557032 → "25 557 032", exact. */
export const exact = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, THIN);

const scaled = (value, base, units) => {
  let at = 0;
  while (value >= base && at < units.length - 1) {
    value /= base;
    at++;
  }
  const digits = at === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}${units[at] ? THIN + units[at] : ''}`;
};

/** 25557032 → "25.6 M"; unknown is a dash, never 0. */
export const short = (count) => (count === null || count === undefined ? '–' : scaled(count, 1000, ['', 'k', 'M', 'G', 'T', 'P']));

/** 6422528 → "6.13 MiB". */
export const bytes = (count) =>
  count === null || count === undefined ? '–' : scaled(count, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']);

/** [1, 3, 224, 224] → "1 × 3 × 224 × 224". */
export const shape = (sizes) => (Array.isArray(sizes) ? sizes.map((size) => size ?? '?').join(' × ') : '–');

/** 0.0000471 s → "47 µs"; 5259 µs → "5.26 ms". */
export const duration = (milliseconds) =>
  scaled(Math.max(1, milliseconds * 1000), 1000, ['µs', 'ms', 's']);

/** -3 → "−3", with the sign that is as wide as a plus. */
export const signed = (number) => String(number).replace('-', '−');

export const plural = (count, one, many = `${one}s`) => `${exact(count)} ${count === 1 ? one : many}`;

/** A part of a whole in percent; 0 where either is not known. */
export const share = (part, whole) => (whole > 0 && part !== null && part !== undefined ? (100 * part) / whole : 0);
