// Tests in a browser: one server and one Chromium for a file, a fresh page for each test, TAP for tests/run to count.
//
// A page that writes an error to the console, asks another host for anything, or gets an error that its test does not
// expect, fails the test.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const built = path.join(root, 'build/browser');
export const require = createRequire(`${built}/`);

/** A module of server/web, as Node's. */
export const web = (name) => import(pathToFileURL(path.join(built, 'web', name)));

// ---- Server and browser ------------------------------------------------------------------------------------------

async function startServer(flags = []) {
  const program = path.resolve(root, process.env.CONVPLAN ?? 'build/release/convplan');
  const server = spawn(program, ['serve', '--port', '0', '--workers', '1', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  const origin = await new Promise((resolve, reject) => {
    let text = '';
    server.stdout.on('data', (data) => {
      text += data;
      const match = /http:\/\/[\d.]+:\d+/.exec(text);
      if (match) resolve(match[0]);
    });
    server.on('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    server.on('error', reject);
  });
  return { origin, stop: () => server.kill() };
}

const CHROMIUM_FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];

const startBrowser = () => {
  const { chromium } = require('playwright-core');
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: CHROMIUM_FLAGS });
};

// ---- Tests -------------------------------------------------------------------------------------------------------

const tests = [];

/** Options: `flags` (of a server of the test's own), `width`, `height`, `dark`, `still` (prefers reduced motion), `expects` (a pattern of console messages that the
 *  test provokes), `pageless`. */
export function test(name, run, options = {}) {
  tests.push({ name, run, options });
}

export function check(condition, message) {
  if (!condition) throw new Error(message);
}

export function equal(actual, wanted, what = 'value') {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: ${a}, wanted ${b}`);
}

/** Ask until the answer is as wanted: what the page will show soon. */
export async function eventually(ask, wanted, what) {
  const deadline = Date.now() + 10000;
  for (;;) {
    const actual = await ask();
    if (JSON.stringify(actual) === JSON.stringify(wanted)) return;
    if (Date.now() > deadline) equal(actual, wanted, what);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

async function openPage(browser, origin, options) {
  const context = await browser.newContext({
    viewport: { width: options.width ?? WIDE.width, height: options.height ?? WIDE.height },
    colorScheme: options.dark ? 'dark' : 'light',
    reducedMotion: options.still ? 'reduce' : 'no-preference',
    baseURL: origin,
    acceptDownloads: true,
  });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
  context.setDefaultTimeout(10000);
  const page = await context.newPage();
  const complaints = [];
  const complain = (text) => {
    if (!options.expects?.test(text)) complaints.push(text);
  };
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complain(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complain(`page: ${error.stack}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !/^(blob|data):/.test(url)) complain(`a request to ${url}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400 && response.status() !== 422) complain(`${response.status()} from ${response.url()}`);
  });
  return { context, page, complaints };
}

/** A refused question is an answer: browsers write its status to the console all the same. */
const USUAL = /status of 422/;

async function runOne(browser, origin, one) {
  const { options: { flags, ...options }, run } = one;
  if (flags) {
    const server = await startServer(flags);
    try {
      return await runOne(browser, server.origin, { run, options });
    } finally {
      server.stop();
    }
  }
  if (options.pageless) return run(origin);
  const expects = options.expects ? new RegExp(`${USUAL.source}|${options.expects.source}`) : USUAL;
  const { context, page, complaints } = await openPage(browser, origin, { ...options, expects });
  try {
    await run(page, origin);
    if (complaints.length) throw new Error(complaints.join('\n'));
  } finally {
    await context.close();
  }
  return null;
}

/** Run them all. To be called at the end of a file. */
export async function finish() {
  const only = process.env.ONLY_TEST;
  const chosen = only ? tests.filter(({ name }) => name.includes(only)) : tests;
  const server = await startServer();
  const browser = chosen.every(({ options }) => options.pageless) ? null : await startBrowser();
  console.log(`1..${chosen.length}`);
  let failed = 0;
  for (const [at, one] of chosen.entries()) {
    try {
      await runOne(browser, server.origin, one);
      console.log(`ok ${at + 1} - ${one.name}`);
    } catch (error) {
      failed++;
      console.log(`not ok ${at + 1} - ${one.name}`);
      console.log(String(error.stack ?? error).replace(/^/gm, '# '));
    }
  }
  await browser?.close();
  server.stop();
  process.exitCode = failed ? 1 : 0;
}

// ---- Accessibility -----------------------------------------------------------------------------------------------

/** What axe-core complains of. By the debugger, as the page's policy forbids scripts from elsewhere. */
async function violations(page, rules) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const { violations: found } = await page.evaluate((only) => globalThis.axe.run(document, { resultTypes: ['violations'], ...only }), rules);
  return found.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
}

const overhang = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const COLOURS = { runOnly: ['color-contrast', 'link-in-text-block'] };

/** The page as it is now: accessible in light, in dark, where nothing but the colours is another, and on a phone; and no
 *  wider than that. It opened in light, wide. */
export async function expectAccessible(page) {
  equal(await violations(page, {}), [], 'violations');
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' }); // no colour is on its way
  equal(await violations(page, COLOURS), [], 'violations in dark');
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await page.setViewportSize(PHONE);
  equal(await violations(page, {}), [], 'violations on a phone');
  equal(await overhang(page), 0, 'pixels too wide for a phone');
  await page.setViewportSize(WIDE);
}

// ---- The playground ----------------------------------------------------------------------------------------------

export const post = async (origin, at, body) => {
  const reply = await fetch(`${origin}${at}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  return reply.json();
};

export const get = async (origin, at) => (await fetch(`${origin}${at}`)).json();

/** Open the playground with a document, and wait until it is planned. */
export async function openDocument(page, document) {
  const { toFragment } = await web('share.js');
  await page.goto(`/${await toFragment(JSON.stringify(document))}`);
  await planned(page);
}

/** Until there is a verdict, and the page knows the types of layers. */
export async function planned(page) {
  await page.locator('.verdict', { hasNotText: 'Planning…' }).waitFor();
  await page.locator('#add-type option').first().waitFor({ state: 'attached' });
}

export const verdict = (page) => page.locator('.verdict').innerText();
export const documentOf = async (page) => JSON.parse(await page.locator('#json').inputValue());
export const option = (page, name) => page.locator('[role=option]', { hasText: name }).first();
export const field = (page, name) => page.locator(`#member-${name}`);
export const shapeOf = (page, name) => option(page, name).locator('.shape').innerText();

export const STEM = {
  input: [1, 3, 32, 32],
  layers: [
    { type: 'Conv2d', name: 'conv', out_channels: 8, kernel_size: 3, padding: 1 },
    { type: 'ReLU', name: 'relu' },
    { type: 'MaxPool2d', name: 'pool', kernel_size: 2 },
    { type: 'Conv2d', name: 'last', out_channels: 16, kernel_size: 3, stride: 2, padding: 1 },
  ],
};

export const PAIR = {
  input: [1, 1, 28, 28],
  encoder: [
    { type: 'Conv2d', name: 'down1', out_channels: 8, kernel_size: 3, stride: 2, padding: 1 },
    { type: 'Conv2d', name: 'down2', out_channels: 16, kernel_size: 3, stride: 2, padding: 1 },
    { type: 'Conv2d', name: 'down3', out_channels: 32, kernel_size: 3, stride: 2, padding: 1 },
  ],
  decoder: [
    { type: 'ConvTranspose2d', name: 'up1', out_channels: 16, kernel_size: 3, stride: 2, padding: 1, output_padding: 1 },
    { type: 'ConvTranspose2d', name: 'up2', out_channels: 8, kernel_size: 3, stride: 2, padding: 1, output_padding: 1 },
    { type: 'ConvTranspose2d', name: 'up3', out_channels: 1, kernel_size: 3, stride: 2, padding: 1, output_padding: 1 },
  ],
};
