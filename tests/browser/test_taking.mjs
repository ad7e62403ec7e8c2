#!/usr/bin/env node
// What is taken along from the playground: links, commands, code, files.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import {
  PAIR, STEM, check, documentOf, equal, eventually, field, finish, openDocument, option, planned, test, web,
} from './harness.mjs';

const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());

test('a shared link holds the whole document', async (page) => {
  await openDocument(page, STEM);
  await option(page, 'conv').click();
  await field(page, 'out_channels').fill('24');
  await page.getByRole('button', { name: 'Share' }).click();
  await page.locator('#notice p', { hasText: 'link' }).waitFor();
  const wanted = await documentOf(page);
  const link = await clipboard(page);
  const other = await page.context().newPage();
  await other.goto(link);
  await planned(other);
  equal(await documentOf(other), wanted, 'document');
  equal(wanted.layers[0].out_channels, 24, 'out_channels');
});

test('the address follows the document, so that a reload keeps it', async (page) => {
  const { fromFragment } = await web('share.js');
  await openDocument(page, STEM);
  await option(page, 'conv').click();
  await field(page, 'out_channels').fill('32');
  const inAddress = async () => JSON.parse(await fromFragment(new URL(page.url()).hash)).layers[0].out_channels;
  await eventually(inAddress, 32, 'out_channels in the address');
  await page.reload();
  await planned(page);
  equal((await documentOf(page)).layers[0].out_channels, 32, 'out_channels');
});

test('a damaged link opens the first example', async (page) => {
  await page.goto('/#z=AAAA');
  await planned(page);
  equal((await documentOf(page)).layers.length, 12, 'layers');
});

test('a link pasted into the address opens', async (page) => {
  await openDocument(page, STEM);
  const { toFragment } = await web('share.js');
  const fragment = await toFragment(JSON.stringify(PAIR));
  await page.evaluate((hash) => { location.hash = hash; }, fragment);
  await eventually(() => documentOf(page), PAIR, 'document');
});

const run = promisify(execFile);

for (const [name, document, member] of [['a stack', STEM, 'layers'], ['a pair', PAIR, 'pairs']]) {
  test(`copied as curl, ${name} gives the same answer in a shell`, async (page) => {
    await openDocument(page, document);
    await page.getByText('Copy', { exact: true }).click();
    await page.getByRole('button', { name: 'As curl' }).click();
    await page.locator('#notice p', { hasText: 'copied' }).waitFor();
    const { stdout } = await run('bash', ['-c', await clipboard(page)]);
    check(JSON.parse(stdout)[member].length > 0, stdout);
  });
}

test('copied as PyTorch', async (page) => {
  await openDocument(page, STEM);
  await page.getByText('Copy', { exact: true }).click();
  await page.getByRole('button', { name: 'As PyTorch' }).click();
  await page.locator('#notice p', { hasText: 'copied' }).waitFor();
  const code = await clipboard(page);
  check(code.includes('nn.Conv2d(8, 16, 3, stride=2, padding=1)'), code);
});

const downloaded = async (page, name) => {
  await page.getByText('Download', { exact: true }).click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
};

test('downloaded as JSON and as PyTorch', async (page) => {
  await openDocument(page, STEM);
  const json = await downloaded(page, 'JSON');
  equal([json.name, JSON.parse(json.text)], ['network.json', STEM], 'JSON');
  const code = await downloaded(page, 'PyTorch code');
  check(code.name === 'network.py' && code.text.includes('nn.MaxPool2d(2)'), code.text);
});

test('downloaded as a diagram in SVG, of a stack and of a pair', async (page) => {
  for (const [document, last] of [[STEM, 'last'], [PAIR, 'up3']]) {
    await openDocument(page, document);
    const picture = await downloaded(page, 'SVG diagram');
    equal(picture.name, 'network.svg', 'name');
    const root = await page.evaluate((text) => new DOMParser().parseFromString(text.replace(/<style[^]*?<\/style>/g, ''), 'image/svg+xml').documentElement.localName, picture.text);
    equal(root, 'svg', 'root of the picture');
    check(picture.text.includes(last), `the diagram does not name ${last}`);
  }
});

await finish();
