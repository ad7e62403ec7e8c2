#!/usr/bin/env node
// The API reference: everything that openapi.yaml says, with examples that run.
import { check, equal, eventually, finish, get, test } from './harness.mjs';

const operationsOf = (description) =>
  Object.entries(description.paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ path, method, ...operation })));

const openDocs = async (page, hash = '') => {
  await page.goto(`/docs${hash}`);
  await page.locator('.operation').first().waitFor();
};

test('every operation is there, with its path, summary and every status', async (page, origin) => {
  const operations = operationsOf(await get(origin, '/openapi.json'));
  await openDocs(page);
  equal((await page.locator('.operation').evaluateAll((all) => all.map(({ id }) => id))).sort(), operations.map(({ operationId }) => operationId).sort(), 'operations');
  for (const { operationId, path, summary, responses } of operations) {
    const section = page.locator(`#${operationId}`);
    equal(await section.locator('h3').innerText(), summary, 'summary');
    check((await section.locator('.endpoint').innerText()).endsWith(` ${path}`), path);
    equal(await section.locator('.replies .code').allInnerTexts(), Object.keys(responses), `${operationId}: statuses`);
  }
  equal(await page.locator('.contents a').count(), operations.length, 'links');
});

const runExample = async (section) => {
  await section.getByRole('button', { name: 'Run' }).click();
  return section.locator('.status span').first().innerText();
};

test('every example of a request runs and is answered with 200', async (page, origin) => {
  const operations = operationsOf(await get(origin, '/openapi.json'));
  await openDocs(page);
  for (const { operationId, requestBody } of operations) {
    const section = page.locator(`#${operationId}`);
    const examples = Object.keys(requestBody?.content['application/json'].examples ?? { '': null });
    for (const example of examples) {
      if (examples.length > 1) await section.locator(`#${operationId}-example`).selectOption(example);
      equal(await runExample(section), '200', `${operationId} ${example}`);
    }
  }
});

test('a reply is what the service answers', async (page, origin) => {
  await openDocs(page);
  const section = page.locator('#getRelationship');
  await section.locator('#getRelationship-number').fill('14');
  await runExample(section);
  equal(JSON.parse(await section.locator('.run pre').innerText()), await get(origin, '/v1/relationships/14'), 'reply');
});

test('a body is edited, and what is wrong is shown', async (page) => {
  await openDocs(page);
  const section = page.locator('#planShapes');
  await section.locator('.run textarea').fill('{"input": [1, 3, 8, 8], "layers": [{"type": "RELU"}]}');
  equal(await runExample(section), '422', 'status');
  check((await section.locator('.run pre').innerText()).includes('unknown_layer_type'), 'the problem is not shown');
});

test('a picture is shown as one', async (page, origin) => {
  const description = await get(origin, '/openapi.json');
  check(description.paths['/v1/figure.svg'], 'there is no figure');
  await openDocs(page);
  const section = page.locator('#drawFigure');
  equal(await runExample(section), '200', 'status');
  await eventually(() => section.locator('.run img').evaluate((image) => image.complete && image.naturalWidth > 0), true, 'picture');
});

test('schemas open down to the members of a layer', async (page) => {
  await openDocs(page);
  const body = page.locator('#planShapes > div', { hasText: 'Body' }).locator('.schema').first();
  await body.locator('.property', { hasText: 'layers' }).locator('summary').first().click();
  const convolution = body.locator('.property', { hasText: /^ConvLayer/ });
  await convolution.locator('summary').first().click();
  const stride = convolution.locator('.property', { hasText: /^stride/ });
  check((await stride.innerText()).includes('default 1'), await stride.innerText());
  check((await stride.innerText()).includes('Distance s between windows.'), await stride.innerText());
});

test('a reply opens with its schema and an example', async (page) => {
  await openDocs(page);
  const reply = page.locator('#planShapes .replies details').first();
  await reply.locator('summary').first().click();
  await reply.locator('pre', { hasText: '"valid": true' }).waitFor();
  await reply.locator('.property', { hasText: /^totals/ }).first().waitFor();
});

test('a link leads to its operation', async (page) => {
  await openDocs(page, '#convolve');
  await eventually(async () => (await page.locator('#convolve').boundingBox()).y < 400, true, 'scrolled');
});

test('descriptions are text, never markup', async (page) => {
  await page.route('**/openapi.json', async (route) => {
    const reply = await route.fetch();
    const description = await reply.json();
    description.info.description = 'An <img src=x onerror=alert(1)> and `code`, [a link](javascript:alert(1)).';
    await route.fulfill({ response: reply, json: description });
  });
  await openDocs(page);
  equal(await page.locator('.intro img').count(), 0, 'images');
  equal(await page.locator('.intro a').count(), 0, 'links');
  equal(await page.locator('.intro code').allInnerTexts(), ['code'], 'code');
});

await finish();
