#!/usr/bin/env node
// What the playground shows: why, figures, costs, sizes, encoder and decoder, numbers by hand.
import {
  PAIR, STEM, check, documentOf, equal, eventually, field, finish, get, openDocument, option, planned, post, test, verdict, web,
} from './harness.mjs';

// ---- Why ---------------------------------------------------------------------------------------------------------

test('the relationship, its title and the formula with the numbers in it', async (page, origin) => {
  await openDocument(page, STEM);
  await option(page, 'last').click();
  const { title } = await get(origin, '/v1/relationships/6');
  await page.locator('.relation h3', { hasText: `Relationship 6 · ${title}` }).waitFor();
  const formula = (await page.locator('.relation .formula').innerText()).replaceAll('\u00a0', ' ');
  equal(formula, 'o = ⌊(i + 2p − k)/s⌋ + 1 = ⌊(16 + 2·1 − 3)/2⌋ + 1 = 8', 'formula');
  equal(await page.locator('.relation var').allInnerTexts(), ['o', 'i', 'p', 'k', 's'], 'variables');
});

test('the figure steps forward and back, jumps, and plays to the end', async (page) => {
  await openDocument(page, { input: [1, 1, 5, 5], layers: [{ type: 'Conv2d', out_channels: 1, kernel_size: 3, stride: 2, padding: 1 }] });
  const player = page.locator('.player');
  const position = () => player.locator('span').innerText();
  await page.locator('.figure img').waitFor();
  equal(await position(), '1 of 9', 'position');
  const source = () => page.locator('.figure img').getAttribute('src');
  const first = await source();
  await player.getByRole('button', { name: 'Step forward' }).click();
  await eventually(position, '2 of 9', 'position');
  await eventually(async () => (await source()) !== first, true, 'another picture');
  await player.getByRole('button', { name: 'Step back' }).click();
  await eventually(position, '1 of 9', 'position');
  await eventually(source, first, 'the first picture');
  await player.getByRole('slider').fill('8');
  await eventually(position, '8 of 9', 'position');
  await player.getByRole('button', { name: 'Play' }).click();
  await eventually(position, '9 of 9', 'position');
  await eventually(position, '1 of 9', 'it begins anew');
  await player.getByRole('button', { name: 'Pause' }).click();
  check(/5 × 5/.test(await page.locator('.figure img').getAttribute('alt')), await page.locator('.figure img').getAttribute('alt'));
});

test('a step onto a picture that is still under way shows it when it is here', async (page) => {
  let release;
  const released = new Promise((resolve) => { release = resolve; });
  await page.route(/figure\.svg.*step=2$/, async (route) => {
    await released;
    await route.continue();
  });
  const asked = page.waitForRequest(/figure\.svg.*step=2$/);
  await openDocument(page, { input: [1, 1, 5, 5], layers: [{ type: 'Conv2d', out_channels: 1, kernel_size: 3, stride: 2, padding: 1 }] });
  const source = () => page.locator('.figure img').getAttribute('src');
  const first = await source();
  await asked;
  await page.locator('.player').getByRole('button', { name: 'Step forward' }).click();
  await eventually(() => page.locator('.player span').innerText(), '2 of 9', 'position');
  equal(await source(), first, 'the picture that stays meanwhile');
  release();
  await eventually(async () => (await source()) !== first, true, 'another picture');
});

/** Steps by the service: the highest that it draws. */
const WINDOWS = [
  ['a convolution', [1, 1, 28, 28], { type: 'Conv2d', out_channels: 1, kernel_size: 3, stride: 2, padding: 1 }],
  ['sides that differ', [1, 1, 30, 20], { type: 'Conv2d', out_channels: 1, kernel_size: [3, 5], padding: [[0, 1], [2, 0]] }],
  ['same_lower', [1, 1, 9, 9], { type: 'Conv2d', out_channels: 1, kernel_size: 4, stride: 2, padding: 'same_lower' }],
  ['dilation', [1, 1, 64, 64], { type: 'Conv2d', out_channels: 1, kernel_size: 3, dilation: 3, padding: 'half' }],
  ['a transposed convolution', [1, 1, 7, 7], { type: 'ConvTranspose2d', out_channels: 1, kernel_size: 3, stride: 2, padding: 1, output_padding: 1 }],
  ['a pool that rounds up', [1, 1, 6, 6], { type: 'MaxPool2d', kernel_size: 3, stride: 2, ceil_mode: true }],
  ['a signal', [1, 1, 100], { type: 'Conv1d', out_channels: 1, kernel_size: 5, stride: 3 }],
  ['causal padding', [1, 1, 100], { type: 'Conv1d', out_channels: 1, kernel_size: 2, padding: [[1, 0]] }],
];

for (const [name, input, layer] of WINDOWS) {
  test(`the figure of ${name} has as many steps as the service draws`, async (page, origin) => {
    const { figureOf } = await web('figure_query.js');
    const figure = figureOf(layer, input.slice(2));
    await openDocument(page, { input, layers: [layer] });
    await page.locator('.figure img').waitFor();
    equal(await page.locator('.player span').innerText(), `1 of ${figure.steps}`, 'position');
    const last = await fetch(`${origin}/${figure.path}&step=${figure.steps}`);
    equal(last.status, 200, 'the last step');
    equal((await fetch(`${origin}/${figure.path}&step=${figure.steps + 1}`)).status, 422, 'one more step');
    const parsed = await page.evaluate((text) => new DOMParser().parseFromString(text.replace(/<style[^]*?<\/style>/g, ''), 'image/svg+xml').querySelector('parsererror')?.textContent ?? '', await last.text());
    equal(parsed, '', 'what the parser of XML says');
  });
}

test('a layer without a window has no figure, and says why', async (page) => {
  await openDocument(page, STEM);
  await option(page, 'relu').click();
  await page.locator('.figure', { hasText: 'Figures show windows' }).waitFor();
});

// ---- Totals and costs --------------------------------------------------------------------------------------------

test('the totals are those of the plan, exact where pointed at', async (page, origin) => {
  await openDocument(page, STEM);
  const { totals } = await post(origin, '/v1/shapes', STEM);
  const titles = await page.locator('.totals dd').evaluateAll((all) => all.map((one) => one.title.replaceAll('\u202f', '')));
  equal(titles.slice(0, 3), [String(totals.params), String(totals.macs), `${totals.output_bytes} bytes`], 'totals');
});

test('the bars are in proportion, and lead to their layers', async (page, origin) => {
  await openDocument(page, STEM);
  const { layers } = await post(origin, '/v1/shapes', STEM);
  const bars = page.locator('.segments');
  for (const [at, name] of ['params', 'macs', 'output_bytes'].entries()) {
    const values = layers.map((layer) => layer[name]).filter((value) => value > 0);
    const total = values.reduce((sum, value) => sum + value, 0);
    const grown = await bars.nth(at).locator('.segment').evaluateAll((all) => all.map((one) => Number(one.style.flexGrow)));
    equal(grown, values.map((value) => Number(((1000 * value) / total).toFixed(3))), name);
  }
  await bars.nth(1).locator('.segment').last().click();
  await eventually(() => option(page, 'last').getAttribute('aria-selected'), 'true', 'selected');
  await page.locator('#costs .top button', { hasText: 'conv' }).first().click();
  await eventually(() => option(page, 'conv').getAttribute('aria-selected'), 'true', 'selected');
});

test('a total that is not known is a dash, not 0', async (page) => {
  await openDocument(page, { input: [1, 3, 8, 8], layers: [{ type: 'Opaque', output_shape: [1, 4, 8, 8] }] });
  equal(await page.locator('.totals dd').first().innerText(), '–', 'parameters');
});

// ---- Sizes -------------------------------------------------------------------------------------------------------

const SKIP = {
  input: [1, 3, 40, 40],
  layers: [
    { type: 'Conv2d', name: 'skip', out_channels: 8, kernel_size: 3, padding: 1 },
    { type: 'MaxPool2d', kernel_size: 2 }, { type: 'MaxPool2d', kernel_size: 2 },
    { type: 'Upsample', name: 'up', scale_factor: 4 }, { type: 'Concat', from: ['skip', 'up'] },
  ],
};

test('the strip shows the sizes that work, each as the planner judges it', async (page, origin) => {
  await openDocument(page, SKIP);
  await page.locator('.strip button').first().waitFor();
  const shown = await page.locator('.strip button').evaluateAll((all) => all.map((one) => [Number(one.innerText), one.classList.contains('works')]));
  check(shown.length > 60, `${shown.length} sizes`);
  for (const [size, works] of shown) {
    const { valid } = await post(origin, '/v1/shapes', { ...SKIP, input: [1, 3, size, size] });
    equal(works, valid, `size ${size}`);
  }
  equal(await page.locator('.statement').innerText(), 'n ≡ 0 (mod 4), n ≥ 4', 'statement');
});

test('a size of the strip becomes the input, and the nearest that works is offered', async (page) => {
  await openDocument(page, { ...SKIP, input: [1, 3, 41, 41] });
  await page.locator('#sizes', { hasText: '41 does not work. Near it:' }).waitFor();
  await page.locator('#sizes .choices').getByRole('button', { name: '44' }).click();
  await eventually(async () => (await documentOf(page)).input, [1, 3, 44, 44], 'input');
  await eventually(() => verdict(page), 'Every shape works out.', 'verdict');
  await page.locator('.strip').getByRole('button', { name: '48 works' }).click();
  await eventually(async () => (await documentOf(page)).input, [1, 3, 48, 48], 'input');
});

test('one axis alone can vary', async (page) => {
  await openDocument(page, { ...SKIP, input: [1, 3, 40, 24] });
  await page.locator('#size-axis').selectOption({ label: 'only the width' });
  await eventually(() => page.locator('.strip button[aria-current]').innerText(), '24', 'current');
  await page.locator('.strip').getByRole('button', { name: '28 works' }).click();
  await eventually(async () => (await documentOf(page)).input, [1, 3, 40, 28], 'input');
});

test('arrow keys walk along the strip', async (page) => {
  await openDocument(page, SKIP);
  await page.locator('.strip button[aria-current]').focus();
  for (let step = 0; step < 4; step++) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await eventually(async () => (await documentOf(page)).input, [1, 3, 44, 44], 'input');
});

// ---- There and back ----------------------------------------------------------------------------------------------

test('a pair stands face to face, and all fixes make it fit', async (page) => {
  await openDocument(page, PAIR);
  const stages = page.locator('.stage:not(.last)');
  equal(await stages.count(), 3, 'stages');
  equal(await stages.nth(0).locator('button').first().innerText(), 'down1', 'the outermost encoder');
  equal(await stages.nth(0).locator('.side.right button').innerText(), 'up3', 'the outermost decoder');
  equal(await page.locator('.stage.wrong').count(), 3, 'stages that do not fit');
  equal(await stages.nth(2).locator('.extent span').allInnerTexts(), ['7×7', '8×8'], 'sizes');
  await page.locator('#roundtrip').getByRole('button', { name: /^Apply/ }).click();
  await eventually(() => verdict(page), 'The decoder undoes the encoder.', 'verdict');
  equal(await page.locator('.stage.wrong').count(), 0, 'stages that do not fit');
  equal((await documentOf(page)).decoder.map((layer) => layer.output_padding), [[0, 0], 1, 1], 'output_padding');
});

test('one stage is mended alone', async (page) => {
  const pair = structuredClone(PAIR);
  pair.decoder[0].output_padding = 0;
  pair.decoder[1].output_padding = 0;
  await openDocument(page, pair);
  await page.locator('.stage.wrong').getByRole('button', { name: 'Set output_padding to [1, 1]' }).first().click();
  await eventually(() => verdict(page), 'The decoder undoes the encoder.', 'verdict');
});

test('the decoder of a stack is made', async (page, origin) => {
  const { input, encoder } = PAIR;
  await openDocument(page, { input, layers: encoder });
  await page.getByRole('button', { name: 'Make the decoder' }).click();
  await eventually(() => verdict(page), 'The decoder undoes the encoder.', 'verdict');
  const { decoder } = await post(origin, '/v1/decoder', { input, encoder });
  equal((await documentOf(page)).decoder, decoder, 'decoder');
  equal(await page.locator('.stage:not(.last)').count(), 3, 'stages');
});

test('a pool is undone as one chooses', async (page) => {
  await openDocument(page, { input: [1, 4, 16, 16], layers: [{ type: 'MaxPool2d', name: 'pool', kernel_size: 2 }] });
  await page.locator('#pool-inverse').selectOption('unpool');
  await page.getByRole('button', { name: 'Make the decoder' }).click();
  await eventually(async () => (await documentOf(page)).decoder?.map(({ type }) => type), ['MaxUnpool2d'], 'decoder');
});

test('a stack is read as a pair, and joined again', async (page) => {
  await page.goto('/');
  await planned(page);
  const before = await documentOf(page);
  await page.getByRole('button', { name: 'Read as encoder and decoder' }).click();
  await eventually(() => verdict(page), 'The decoder undoes the encoder.', 'verdict');
  equal((await documentOf(page)).encoder.length, 6, 'layers of the encoder');
  await page.getByRole('button', { name: 'Join to one stack' }).click();
  await eventually(() => documentOf(page), before, 'document');
});

test('the layers of both halves are edited in place', async (page) => {
  await openDocument(page, PAIR);
  await option(page, 'up1').click();
  await field(page, 'output_padding').fill('0');
  await eventually(async () => (await documentOf(page)).decoder[0].output_padding, 0, 'output_padding');
  await eventually(() => verdict(page), 'The decoder undoes the encoder.', 'verdict');
});

// ---- By hand -----------------------------------------------------------------------------------------------------

const outputOf = async (page) => {
  const rows = await page.locator('.matrix.result tr').evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => Number(cell.innerText))));
  return rows;
};

test('the guide’s example, and an input changed by hand', async (page) => {
  await openDocument(page, STEM);
  await eventually(() => outputOf(page), [[12, 12, 17], [10, 17, 19], [9, 6, 14]], 'output');
  await page.getByLabel('Input, row 1, column 2').fill('13');
  await eventually(() => outputOf(page), [[22, 12, 17], [10, 17, 19], [9, 6, 14]], 'output');
  await page.locator('#by-hand-stride').fill('2');
  await page.locator('#by-hand-padding').fill('1');
  await page.getByLabel('Input, row 1, column 2').fill('3');
  await eventually(() => outputOf(page), [[6, 17, 3], [8, 17, 13], [6, 4, 4]], 'output with stride and padding');
});

test('an output cell tells its sum, and marks what it is made of', async (page) => {
  await openDocument(page, STEM);
  await page.getByRole('button', { name: /^Output, row 2, column 3/ }).focus();
  await page.locator('#numbers .formula', { hasText: '1·0 + 3·1 + 1·2 + 2·2 + 2·2 + 3·0 + 0·0 + 2·1 + 2·2 = 19' }).waitFor();
  const seen = await page.locator('.matrix.input input').evaluateAll((all) => all.map((one) => one.classList.contains('seen')));
  const wanted = Array.from({ length: 25 }, (_, at) => at % 5 >= 2 && at >= 5 && at < 20);
  equal(seen, wanted, 'marked cells');
});

test('transposed: the same numbers in every way, at different costs', async (page) => {
  await openDocument(page, STEM);
  await page.locator('#by-hand-type').selectOption('ConvTranspose2d');
  await page.locator('#by-hand-stride').fill('2');
  await page.locator('.matrix.result caption', { hasText: '11 × 11' }).waitFor();
  const rows = await page.locator('.checks tbody tr').evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => cell.innerText)));
  equal(rows.map((row) => row[3]), ['0', '0', '0', '0'], 'differences');
  const output = await outputOf(page);
  const { termsOf } = await web('byhand.js');
  const { initialNumbers } = await web('byhand.js');
  for (const [row, line] of output.entries()) {
    for (const [column, value] of line.entries()) {
      const terms = termsOf({ ...initialNumbers(), type: 'ConvTranspose2d', stride: 2, focus: [row, column] });
      equal(terms.reduce((sum, term) => sum + term.value * term.weight, 0), value, `the sum at ${row}, ${column}`);
    }
  }
});

test('pools, with what is impossible told', async (page) => {
  await openDocument(page, STEM);
  await page.locator('#by-hand-type').selectOption('MaxPool2d');
  await eventually(() => outputOf(page), [[3, 3, 3], [3, 3, 3], [3, 2, 3]], 'max');
  await page.locator('#by-hand-type').selectOption('AvgPool2d');
  await eventually(async () => (await outputOf(page))[0].map((value) => Math.round(9 * value)), [15, 15, 15], 'average');
  await page.locator('#by-hand-padding').fill('3');
  await page.locator('#numbers .finding', { hasText: /./ }).waitFor();
});

test('the walk goes from cell to cell', async (page) => {
  await openDocument(page, STEM);
  await page.getByRole('button', { name: 'Walk through' }).click();
  await eventually(() => page.locator('.matrix.result button[aria-pressed=true]').getAttribute('aria-label'), 'Output, row 1, column 2: 12', 'cell');
  await page.locator('#numbers').getByRole('button', { name: 'Pause' }).click();
});

await finish();
