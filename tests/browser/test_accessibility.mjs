#!/usr/bin/env node
// axe-core finds nothing to complain of, in any state of the pages; colours, widths and motion follow what the reader wants.
import { LOOKS, PAIR, STEM, check, equal, finish, openDocument, planned, test, violations } from './harness.mjs';

const expectNone = async (page) => equal(await violations(page), [], 'violations');

const BROKEN = { ...STEM, layers: [...STEM.layers, { type: 'MaxPool2d', name: 'large', kernel_size: 40 }] };

const STATES = {
  'as it opens': async (page) => {
    await page.goto('/');
    await planned(page);
    await page.locator('.figure img').waitFor();
  },
  'with findings': async (page) => {
    await openDocument(page, BROKEN);
    await page.getByRole('button', { name: 'Show the first' }).click();
  },
  'with a refused request': (page) => openDocument(page, { input: [1, 3, 8, 8], layers: [{ type: 'Conv2d', kernel: 3 }] }),
  'with broken JSON': async (page) => {
    await openDocument(page, STEM);
    await page.locator('#json').fill('{"input": ');
  },
  'with a pair that does not round-trip': (page) => openDocument(page, PAIR),
  'with an empty stack': (page) => openDocument(page, { input: [1, 3, 8, 8], layers: [] }),
  'with the dialog': async (page) => {
    await openDocument(page, STEM);
    await page.getByRole('button', { name: 'Open…' }).click();
    await page.locator('#open-text').fill('nonsense');
    await page.locator('dialog').getByRole('button', { name: 'Open' }).click();
    await page.locator('#open-error', { hasText: /./ }).waitFor();
  },
  'with a menu': async (page) => {
    await openDocument(page, STEM);
    await page.getByText('Copy', { exact: true }).click();
  },
};

for (const [state, open] of Object.entries(STATES)) {
  for (const [look, options] of Object.entries(LOOKS)) {
    test(`the playground ${state}, ${look}`, async (page) => {
      await open(page);
      await expectNone(page);
    }, options);
  }
}

for (const [look, options] of Object.entries(LOOKS)) {
  test(`the reference, ${look}`, async (page) => {
    await page.goto('/docs');
    const shapes = page.locator('#planShapes');
    await shapes.getByRole('button', { name: 'Run' }).click();
    await shapes.locator('pre').first().waitFor();
    await shapes.locator('.schema summary').first().click();
    await shapes.locator('.replies summary').first().click();
    await expectNone(page);
  }, options);
}

for (const width of [320, 390, 768, 1024, 1440]) {
  for (const address of ['/', '/docs']) {
    test(`nothing is wider than ${width} pixels at ${address}`, async (page) => {
      await page.goto(address);
      if (address === '/') await planned(page);
      else await page.locator('#planShapes').waitFor();
      const overhang = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      equal(overhang, 0, 'pixels too wide');
    }, { width, height: 800 });
  }
}

test('a large result of numbers stays within a phone', async (page) => {
  await openDocument(page, STEM);
  await page.locator('#by-hand-type').selectOption('ConvTranspose2d');
  await page.locator('#by-hand-stride').fill('2');
  await page.locator('.matrix.result caption', { hasText: '11 × 11' }).waitFor();
  equal(await page.evaluate(() => document.documentElement.scrollWidth), 390, 'width');
  await expectNone(page);
}, LOOKS['on a phone']);

const paper = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));

test('light is light', async (page) => {
  await page.goto('/');
  check((await paper(page)).every((channel) => channel > 200), 'the paper is not light');
});

test('dark is dark', async (page) => {
  await page.goto('/');
  check((await paper(page)).every((channel) => channel < 60), 'the paper is not dark');
}, { dark: true });

test('nothing moves for those who want none of it', async (page) => {
  await openDocument(page, STEM);
  await page.locator('.figure img').waitFor();
  const running = await page.evaluate(() => document.getAnimations().length);
  equal(running, 0, 'animations');
  const durations = await page.evaluate(() => [...document.querySelectorAll('button, select, input')].map((element) => getComputedStyle(element).transitionDuration));
  check(durations.every((duration) => duration === '0s'), `transitions: ${durations}`);
}, { still: true });

await finish();
