#!/usr/bin/env node
// axe-core finds nothing to complain of, in any state of the pages; colours, widths and motion follow what the reader wants.
import { PAIR, STEM, check, equal, expectAccessible, finish, openDocument, planned, test } from './harness.mjs';

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
  test(`the playground ${state}`, async (page) => {
    await open(page);
    await expectAccessible(page);
  });
}

test('the reference', async (page) => {
  await page.goto('/docs');
  const shapes = page.locator('#planShapes');
  await shapes.getByRole('button', { name: 'Run' }).click();
  await shapes.locator('pre').first().waitFor();
  await shapes.locator('.schema summary').first().click();
  await shapes.locator('.replies summary').first().click();
  await expectAccessible(page);
});

const overhang = (place) => place.evaluate((element) => element.scrollWidth - element.clientWidth);

for (const address of ['/', '/docs']) {
  test(`nothing is wider than the page at ${address}`, async (page) => {
    await page.goto(address);
    if (address === '/') await planned(page);
    else await page.locator('#planShapes').waitFor();
    for (const width of [320, 360, 390, 768, 1024, 1440]) {
      await page.setViewportSize({ width, height: 800 });
      equal(await overhang(page.locator(':root')), 0, `pixels wider than ${width}`);
    }
  });
}

test('a large result of numbers stays within a phone', async (page) => {
  await openDocument(page, STEM);
  await page.locator('#by-hand-type').selectOption('ConvTranspose2d');
  await page.locator('#by-hand-stride').fill('2');
  await page.locator('.matrix.result caption', { hasText: '11 × 11' }).waitFor();
  await expectAccessible(page);
});

test('the dialog stays within a phone', async (page) => {
  await STATES['with the dialog'](page);
  for (const width of [320, 360]) {
    await page.setViewportSize({ width, height: 740 });
    equal(await overhang(page.locator('dialog')), 0, `pixels wider than ${width}`);
  }
});

test('the longest name of a type is not cut off', async (page) => {
  await openDocument(page, { input: [1, 4, 8, 8], layers: [{ type: 'AdaptiveAvgPool2d', output_size: 1 }] });
  const cut = await page.locator('#member-type').evaluate((select) => {
    const text = document.createElement('span');
    text.style.cssText = `position: absolute; font: ${getComputedStyle(select).font}`;
    text.textContent = select.value;
    document.body.append(text);
    const room = select.clientWidth - 40; // less the padding and the arrow
    return text.getBoundingClientRect().width - room;
  });
  check(cut <= 0, `${cut} pixels are cut off`);
}, { width: 1280 });

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
