#!/usr/bin/env node
// A server that asks for a token: where it is given, and where it never goes.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { STEM, check, equal, eventually, expectAccessible, finish, openDocument, planned, test, verdict, web } from './harness.mjs';

const TOKEN = 'c2VjcmV0-of/this+server==';
const directory = mkdtempSync(path.join(tmpdir(), 'convplan-test-'));
process.on('exit', () => rmSync(directory, { recursive: true }));
const tokens = path.join(directory, 'tokens');
writeFileSync(tokens, `${TOKEN}\n`);

const guarded = (name, run, options = {}) =>
  test(name, run, { flags: ['--token-file', tokens, '--access-log', 'off'], expects: /401/, ...options });

const input = (page) => page.getByLabel('Token', { exact: true }).and(page.locator('input'));
const give = async (page, token) => {
  await input(page).fill(token);
  await page.getByRole('button', { name: 'Use', exact: true }).click();
};
/** Given, and the page goes on with its example. */
const unlock = async (page) => {
  await give(page, TOKEN);
  await eventually(() => verdict(page), 'Every shape works out.', 'verdict');
};
const copied = async (page, name) => {
  await page.getByText('Copy', { exact: true }).click();
  await page.getByRole('button', { name }).click();
  await page.locator('#notice p', { hasText: 'copied' }).waitFor();
  return page.evaluate(() => navigator.clipboard.readText());
};

test('a server that asks for none shows no place for it', async (page) => {
  await openDocument(page, STEM);
  equal(await page.locator('#token').innerHTML(), '', 'place');
});

guarded('the page opens, says what is missing, and goes on when it is there', async (page) => {
  await page.goto('/');
  await input(page).waitFor();
  await eventually(() => verdict(page), 'A token is needed.', 'verdict');
  check(await page.getByRole('button', { name: 'Add layer' }).isDisabled(), 'a layer of no type can be added');
  await unlock(page);
  check(await page.getByRole('button', { name: 'Add layer' }).isEnabled(), 'no layer can be added');
  await page.locator('.figure img').waitFor();
  equal(await page.locator('#token form').count(), 0, 'forms');
});

guarded('a document in the address waits for it', async (page) => {
  const { toFragment } = await web('share.js');
  await page.goto(`/${await toFragment(JSON.stringify(STEM))}`);
  await give(page, TOKEN);
  await eventually(() => verdict(page), 'Every shape works out.', 'verdict');
  check(await page.getByRole('button', { name: 'Undo' }).isDisabled(), 'there is something to undo');
  await page.locator('.statement').waitFor();
});

guarded('a wrong one is refused, and so is what no header can carry', async (page) => {
  await page.goto('/');
  for (const wrong of ['guess', 'gue ss', 'клюŽ']) {
    await give(page, wrong);
    await page.locator('#token-about', { hasText: 'does not take that token' }).waitFor();
    await input(page).fill('');
  }
  await unlock(page);
});

guarded('it stays in its tab: not in the address, nor in another tab; a reload keeps it', async (page) => {
  await page.goto('/');
  await unlock(page);
  await eventually(() => page.evaluate(() => location.hash.startsWith('#z=')), true, 'address');
  const { fromFragment } = await web('share.js');
  const address = await page.evaluate(() => location.href);
  check(!address.includes(TOKEN) && !(await fromFragment(new URL(address).hash)).includes(TOKEN), address);
  equal(await page.evaluate(() => [localStorage.length, document.cookie]), [0, ''], 'kept elsewhere');
  await page.reload();
  await planned(page);
  const other = await page.context().newPage();
  await other.goto('/');
  await input(other).waitFor();
});

guarded('copied as curl, it is a variable of the shell', async (page) => {
  await page.goto('/');
  await unlock(page);
  const command = await copied(page, 'As curl');
  check(!command.includes(TOKEN) && command.includes('"Authorization: Bearer $TOKEN"'), command);
  const { stdout } = await promisify(execFile)('bash', ['-c', command], { env: { ...process.env, TOKEN } });
  check(JSON.parse(stdout).valid, stdout);
  for (const name of ['As JSON', 'As PyTorch']) check(!(await copied(page, name)).includes(TOKEN), name);
});

guarded('the diagram is asked for with it', async (page) => {
  await page.goto('/');
  await unlock(page);
  await page.getByText('Download', { exact: true }).click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'SVG diagram' }).click()]);
  equal(download.suggestedFilename(), 'network.svg', 'name');
});

guarded('by keyboard: given, looked at again, forgotten', async (page) => {
  await page.goto('/');
  await page.locator('#token-text:focus').waitFor();
  await page.keyboard.type(TOKEN);
  await page.keyboard.press('Enter');
  await planned(page);
  await page.locator('#token button:focus', { hasText: 'Token…' }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('#token-text:focus').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('#token button:focus', { hasText: 'Token…' }).waitFor();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('#token-text:focus').waitFor();
  await eventually(() => verdict(page), 'A token is needed.', 'verdict');
  equal(await page.evaluate(() => sessionStorage.length), 0, 'kept');
});

guarded('who writes is not interrupted', async (page) => {
  await page.goto('/');
  await unlock(page);
  await page.evaluate(() => sessionStorage.clear());
  await page.locator('#json').focus();
  await page.reload();
  await input(page).waitFor();
  await page.locator('#json').click();
  await page.keyboard.type(' ');
  await eventually(() => verdict(page), 'A token is needed.', 'verdict');
  equal(await page.evaluate(() => document.activeElement.id), 'json', 'focus');
});

guarded('the examples of the reference run with it', async (page) => {
  await page.goto('/docs');
  const section = page.locator('#planShapes');
  await section.getByRole('button', { name: 'Run' }).click();
  equal(await section.locator('.status span').first().innerText(), '401', 'status');
  await section.getByRole('button', { name: 'Give a token' }).click();
  await page.locator('#token-text:focus').waitFor();
  await give(page, TOKEN);
  await section.getByRole('button', { name: 'Run' }).click();
  await section.locator('.status .good', { hasText: '200' }).waitFor();
  await page.goto('/');
  await planned(page);
});

const STATES = {
  'asked for': () => {},
  'refused': async (page) => {
    await give(page, 'guess');
    await page.locator('#token-about', { hasText: 'does not take' }).waitFor();
  },
  'looked at again': async (page) => {
    await unlock(page);
    await page.getByRole('button', { name: 'Token…' }).click();
  },
};

for (const [state, reach] of Object.entries(STATES)) {
  guarded(`a token ${state}: accessible`, async (page) => {
    await page.goto('/');
    await input(page).waitFor();
    await page.locator('#layer-title').waitFor(); /* the page behind the question is there, too */
    await reach(page);
    await expectAccessible(page);
  });
}

await finish();
