// A small layer with its numbers: the input and the kernel are edited cell by cell, the service computes the output.
import { h } from './dom.js';
import { windowAxes } from './window.js';

const MOST = 9; // cells on a side: what fits on a screen

const KINDS = {
  Conv2d: { label: 'Convolution', members: ['stride', 'padding', 'dilation'], weighted: true },
  ConvTranspose2d: { label: 'Transposed convolution', members: ['stride', 'padding', 'output_padding', 'dilation'], weighted: true },
  MaxPool2d: { label: 'Max pooling', members: ['stride', 'padding', 'dilation'] },
  AvgPool2d: { label: 'Average pooling', members: ['stride', 'padding'] },
};

const USUAL = { stride: 1, padding: 0, output_padding: 0, dilation: 1 };
const LEAST = { stride: 1, padding: 0, output_padding: 0, dilation: 1 };

/** The guide's first worked example. */
export const initialNumbers = () => ({
  type: 'Conv2d',
  stride: 1,
  padding: 0,
  output_padding: 0,
  dilation: 1,
  input: [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]],
  kernel: [[0, 1, 2], [2, 2, 0], [0, 1, 2]],
  focus: [0, 0], // the cell of the output that is explained
  reply: null, // of /v1/convolve: {body} or {problem}
  playing: false,
});

function layerOf(numbers) {
  const { type, kernel } = numbers;
  const layer = { type, kernel_size: [kernel.length, kernel[0].length] };
  if (KINDS[type].weighted) layer.out_channels = 1;
  for (const name of KINDS[type].members) if (numbers[name] !== USUAL[name] || name === 'stride') layer[name] = numbers[name];
  return layer;
}

/** The question to /v1/convolve. */
export function convolveQuestion(numbers) {
  const question = { layer: layerOf(numbers), input: [[numbers.input]] };
  if (!KINDS[numbers.type].weighted) return question;
  return { ...question, weight: [[numbers.kernel]], verify: true };
}

// ---- Which cells an output cell is made of -----------------------------------------------------------------------

/** Pairs [input index, kernel index] on one axis that meet in output index `o`; the input's may lie in the padding. */
function meetings(axis, o, transposed) {
  const pairs = [];
  for (let u = 0; u < axis.k; u++) {
    const reach = transposed ? o + axis.begin - u * axis.d : o * axis.s - axis.begin + u * axis.d;
    if (!transposed) pairs.push([reach, u]);
    else if (reach % axis.s === 0 && reach >= 0 && reach / axis.s < axis.i) pairs.push([reach / axis.s, u]);
  }
  return pairs;
}

/** The terms of an output cell: [{row, column, kernelRow, kernelColumn, value, weight, outside}]. */
export function termsOf(numbers) {
  const axes = windowAxes(layerOf(numbers), [numbers.input.length, numbers.input[0].length]);
  if (!axes) return [];
  const transposed = numbers.type === 'ConvTranspose2d';
  const rows = meetings(axes[0], numbers.focus[0], transposed);
  const columns = meetings(axes[1], numbers.focus[1], transposed);
  return rows.flatMap(([row, kernelRow]) => columns.map(([column, kernelColumn]) => {
    const value = numbers.input[row]?.[column];
    return { row, column, kernelRow, kernelColumn, value: value ?? 0, weight: numbers.kernel[kernelRow][kernelColumn], outside: value === undefined };
  }));
}

const signed = (value) => (value < 0 ? `(${value})` : String(value));

/** The sum of an output cell in words: "2·1 + 0·3 + … = 12". */
function sumText(numbers, terms, result) {
  const inside = terms.filter((term) => !term.outside);
  if (numbers.type === 'MaxPool2d') return `max(${inside.map(({ value }) => value).join(', ')}) = ${result}`;
  if (numbers.type === 'AvgPool2d') return `(${terms.map(({ value }) => signed(value)).join(' + ')}) / ${terms.length} = ${result}`;
  const products = inside.map(({ value, weight }) => `${signed(value)}·${signed(weight)}`);
  return `${products.join(' + ') || '0'} = ${result}`;
}

// ---- Grids ------------------------------------------------------------------------------------------------------

function editableGrid(kind, label, cells, seen, change) {
  return h('div', { class: `matrix ${kind}`, key: kind },
    h('table', {},
      h('caption', {}, `${label}, ${cells.length} × ${cells[0].length}`),
      h('tbody', {}, cells.map((line, row) => h('tr', { key: row }, line.map((value, column) => h('td', { key: column },
        h('input', {
          class: seen.has(`${row}/${column}`) ? 'seen' : '',
          value: String(value),
          inputmode: 'decimal',
          autocomplete: 'off',
          'aria-label': `${label}, row ${row + 1}, column ${column + 1}`,
          keep: (element) => Number(element.value) === value,
          oninput: (event) => {
            const next = Number(event.target.value);
            if (event.target.value.trim() !== '' && Number.isFinite(next)) change(row, column, next);
          },
          onfocus: (event) => event.target.select(),
          onkeydown: (event) => moveInGrid(event, row, column),
        }))))))));
}

/** Arrow keys walk through a grid. */
function moveInGrid(event, row, column) {
  const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (!by) return;
  const line = event.target.closest('tbody').rows[row + by[0]];
  const target = line?.cells[column + by[1]]?.firstElementChild;
  if (!target) return;
  event.preventDefault();
  target.focus();
}

const shown = (value) => (Number.isInteger(value) ? String(value) : value.toPrecision(4).replace(/\.?0+$/, ''));

function outputGrid(output, focus, commands) {
  return h('div', { class: 'matrix result', key: 'result' },
    h('table', {},
      h('caption', {}, `Output, ${output.length} × ${output[0].length}`),
      h('tbody', {}, output.map((line, row) => h('tr', { key: row }, line.map((value, column) => h('td', { key: column },
        h('button', {
          type: 'button',
          'aria-pressed': String(row === focus[0] && column === focus[1]),
          'aria-label': `Output, row ${row + 1}, column ${column + 1}: ${shown(value)}`,
          onclick: () => commands.setNumbers({ focus: [row, column], playing: false }),
          onmouseenter: () => commands.setNumbers({ focus: [row, column] }),
          onfocus: () => commands.setNumbers({ focus: [row, column] }),
          onkeydown: (event) => moveInGrid(event, row, column),
        }, shown(value)))))))));
}

const resized = (cells, rows, columns, fill) =>
  Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (__, column) => cells[row]?.[column] ?? fill(row, column)));

function sizeField(label, id, value, set) {
  return h('div', { class: 'field', key: id }, h('label', { for: id }, label),
    h('input', { id, class: 'narrow', type: 'number', min: '1', max: String(MOST), value: String(value), keep: (element) => Number(element.value) === value,
      oninput: (event) => {
        const next = Number(event.target.value);
        if (Number.isInteger(next) && next >= 1 && next <= MOST) set(next);
      } }));
}

function controls(numbers, commands) {
  const { input, kernel } = numbers;
  const someDigit = (row, column) => (3 * row + 2 * column + 1) % 4;
  const member = (name) => h('div', { class: 'field', key: name }, h('label', { for: `by-hand-${name}` }, name.replace('_', ' ')),
    h('input', { id: `by-hand-${name}`, class: 'narrow', type: 'number', min: String(LEAST[name]), max: String(MOST), value: String(numbers[name]), keep: (element) => Number(element.value) === numbers[name],
      oninput: (event) => {
        const next = Number(event.target.value);
        if (event.target.value !== '' && Number.isInteger(next)) commands.setNumbers({ [name]: next });
      } }));
  return h('div', { class: 'choices block', key: 'controls' },
    h('div', { class: 'field', key: 'type' }, h('label', { for: 'by-hand-type' }, 'layer'),
      h('select', { id: 'by-hand-type', value: numbers.type, onchange: (event) => commands.setNumbers({ type: event.target.value, focus: [0, 0] }) },
        Object.entries(KINDS).map(([type, { label }]) => h('option', { key: type, value: type }, label)))),
    sizeField('input', 'by-hand-input', input.length, (size) => commands.setNumbers({ input: resized(input, size, size, someDigit) })),
    sizeField('kernel', 'by-hand-kernel', kernel.length, (size) => commands.setNumbers({ kernel: resized(kernel, size, size, () => 1) })),
    KINDS[numbers.type].members.map(member));
}

// ---- How else it can be computed ---------------------------------------------------------------------------------

const METHODS = { direct: 'directly', matrix: 'as a product with the matrix C', emulated: 'as a convolution over the stretched input', gradient: 'as the gradient of its convolution' };

function checksView(checks) {
  if (!checks?.length) return null;
  return h('table', { class: 'checks block', key: 'checks' },
    h('thead', {}, h('tr', {}, ['Computed', 'multi\u00adpli\u00adca\u00adtions', 'of these by zero', 'largest difference'].map((text) => h('th', { key: text, scope: 'col' }, text)))),
    h('tbody', {}, checks.map(({ method, multiplications, multiplications_by_zero: byZero, max_abs_difference: difference }) =>
      h('tr', { key: method }, h('th', { scope: 'row' }, METHODS[method] ?? method), h('td', {}, multiplications), h('td', {}, byZero), h('td', {}, difference)))));
}

export function numbersView(state, commands) {
  const { numbers } = state;
  const { reply } = numbers;
  const terms = termsOf(numbers);
  const output = reply?.body?.output?.[0]?.[0];
  const seenInput = new Set(terms.map(({ row, column }) => `${row}/${column}`));
  const seenKernel = new Set(terms.map(({ kernelRow, kernelColumn }) => `${kernelRow}/${kernelColumn}`));
  const weighted = KINDS[numbers.type].weighted;
  const set = (name) => (row, column, value) => commands.setNumbers({
    [name]: numbers[name].map((line, at) => (at === row ? line.map((old, place) => (place === column ? value : old)) : line)),
  });
  const [row, column] = numbers.focus;
  const result = output?.[row]?.[column];
  return [
    h('h2', { id: 'numbers-title', key: 'title' }, 'By hand'),
    h('p', { class: 'lede', key: 'lede' }, 'A layer small enough to follow. Change a number; point at an output to see what it is made of.'),
    controls(numbers, commands),
    h('div', { class: 'grids block', key: 'grids' },
      editableGrid('input', 'Input', numbers.input, output ? seenInput : new Set(), set('input')),
      weighted && editableGrid('kernel', 'Kernel', numbers.kernel, output ? seenKernel : new Set(), set('kernel')),
      output && outputGrid(output, numbers.focus, commands),
      h('div', { class: 'working', key: 'working' },
        reply?.problem && h('p', { class: 'finding error', key: 'problem', role: 'status' }, reply.problem),
        result !== undefined && h('p', { class: 'formula', key: 'sum', 'aria-live': numbers.playing ? 'off' : 'polite' }, sumText(numbers, terms, shown(result))),
        output && h('p', { class: 'choices block', key: 'play' },
          h('button', { type: 'button', onclick: () => commands.setNumbers({ playing: !numbers.playing }) }, numbers.playing ? 'Pause' : 'Walk through'),
          reply.body.relationship && h('span', { class: 'quiet' }, `Relationship ${reply.body.relationship}`)),
        checksView(reply?.body?.checks))),
  ];
}
