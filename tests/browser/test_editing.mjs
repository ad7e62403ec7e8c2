#!/usr/bin/env node
// Editing in the playground: where one starts from, forms and JSON, findings, keys, long stacks.
import {
  STEM, check, documentOf, equal, eventually, field, finish, get, openDocument, option, planned, post, shapeOf, test, verdict, web,
} from './harness.mjs';

// ---- Where to start from -----------------------------------------------------------------------------------------

test('it opens with a network that is planned', async (page, origin) => {
  await page.goto('/');
  await eventually(() => verdict(page), 'Every shape works out.', 'verdict');
  const example = await get(origin, '/v1/examples/mnist_autoencoder');
  equal(await documentOf(page), example, 'document');
  equal(await shapeOf(page, 'encoder.4'), '64 × 4 × 4', 'shape');
});

test('every example opens and works out', async (page, origin) => {
  await page.goto('/');
  await planned(page);
  const { examples } = await get(origin, '/v1/examples');
  for (const { name, href } of examples) {
    const { meta } = await get(origin, href);
    await page.getByLabel('Start from an example').selectOption(name);
    await eventually(async () => (await documentOf(page)).meta?.title, meta.title, name);
    const totals = page.locator('.totals dd');
    await eventually(async () => Number((await totals.first().getAttribute('title')).replaceAll('\u202f', '')), meta.params, name);
    await eventually(() => page.locator('.journey .out').innerText(), meta.output.join(' × '), name);
    equal(await verdict(page), 'Every shape works out.', name);
  }
});

test('pasted JSON opens', async (page) => {
  await page.goto('/');
  await planned(page);
  await page.getByRole('button', { name: 'Open…' }).click();
  await page.locator('#open-text').fill(JSON.stringify(STEM));
  await page.locator('dialog').getByRole('button', { name: 'Open' }).click();
  await eventually(() => documentOf(page), STEM, 'document');
  equal(await page.locator('dialog').count(), 0, 'dialogs');
});

const PRINTED = 'Sequential(\n  (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))\n  (1): ReLU()\n)\n';
const KERAS = JSON.stringify({ class_name: 'Sequential', config: { name: 'model', layers: [] } });

const open = async (page, text) => {
  await page.getByRole('button', { name: 'Open…' }).click();
  await page.locator('#open-text').fill(text);
  await page.locator('dialog').getByRole('button', { name: 'Open' }).click();
};

/** The list of operations as if the service could, or could not, import. */
async function pretendImport(page, able) {
  await page.route((url) => url.pathname === '/', async (route) => {
    if (route.request().headers().accept !== 'application/json') return route.continue();
    const reply = await route.fetch();
    const index = await reply.json();
    index.operations = index.operations.filter((operation) => operation.path !== '/v1/import');
    if (able) index.operations.push({ method: 'POST', path: '/v1/import', operation: 'importModel' });
    return route.fulfill({ response: reply, json: index });
  });
}

for (const [name, text, told] of [['print(model)', PRINTED, /print\(model\)/], ['a Keras model', KERAS, /Keras/]]) {
  test(`${name} is recognised where the service cannot import it`, async (page) => {
    await pretendImport(page, false);
    await page.goto('/');
    await planned(page);
    await open(page, text);
    const error = await page.locator('#open-error', { hasText: /./ }).innerText();
    check(told.test(error) && /does not read/.test(error), error);
  });
}

test('an ONNX file is recognised where the service cannot import it', async (page) => {
  await pretendImport(page, false);
  await page.goto('/');
  await planned(page);
  await page.getByRole('button', { name: 'Open…' }).click();
  await page.locator('dialog input[type=file]').setInputFiles({ name: 'model.onnx', mimeType: 'application/octet-stream', buffer: Buffer.from([8, 7, 18, 2, 0xff, 0x41, 58, 0]) });
  await page.locator('#open-error', { hasText: 'ONNX' }).waitFor();
});

test('a model goes through /v1/import where the service has it', async (page) => {
  await pretendImport(page, true);
  let asked = null;
  await page.route('**/v1/import', (route) => {
    asked = { type: route.request().headers()['content-type'], body: route.request().postData() };
    return route.fulfill({ json: { input: [1, 3, 8, 8], layers: [{ type: 'ReLU', name: 'imported' }], findings: [{ code: 'x', severity: 'warning', detail: 'A free batch became 1.' }] } });
  });
  await page.goto('/');
  await planned(page);
  await open(page, PRINTED);
  await option(page, 'imported').waitFor();
  equal(asked, { type: 'text/x-pytorch', body: PRINTED }, 'question');
  await page.locator('#notice p', { hasText: 'A free batch became 1.' }).waitFor();
});

test('a file that is dropped opens', async (page) => {
  await page.goto('/');
  await planned(page);
  await page.evaluate((text) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], 'stack.json'));
    document.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, JSON.stringify(STEM));
  await eventually(() => documentOf(page), STEM, 'document');
});

// ---- Editing -----------------------------------------------------------------------------------------------------

test('a member edited in the form changes the JSON and the results', async (page) => {
  await openDocument(page, STEM);
  await option(page, 'conv').click();
  await field(page, 'stride').fill('2');
  await eventually(() => shapeOf(page, 'conv'), '8 × 16 × 16', 'shape');
  equal((await documentOf(page)).layers[0].stride, 2, 'stride');
  await field(page, 'stride').fill('2, 1');
  await eventually(() => shapeOf(page, 'conv'), '8 × 16 × 32', 'shape');
  equal((await documentOf(page)).layers[0].stride, [2, 1], 'stride');
  await field(page, 'stride').fill('');
  await eventually(() => shapeOf(page, 'conv'), '8 × 32 × 32', 'shape');
  equal('stride' in (await documentOf(page)).layers[0], false, 'a default is left out');
  await field(page, 'padding').fill('valid');
  await eventually(() => shapeOf(page, 'conv'), '8 × 30 × 30', 'shape');
  await field(page, 'bias').uncheck();
  await eventually(async () => (await documentOf(page)).layers[0].bias, false, 'bias');
});

test('JSON edited as text changes the form and the results', async (page) => {
  await openDocument(page, STEM);
  const changed = structuredClone(STEM);
  changed.layers[0].kernel_size = 5;
  await page.locator('#json').fill(JSON.stringify(changed));
  await eventually(() => shapeOf(page, 'conv'), '8 × 30 × 30', 'shape');
  await option(page, 'conv').click();
  equal(await field(page, 'kernel_size').inputValue(), '5', 'field');
});

test('JSON that is broken says so, and keeps the plan', async (page) => {
  await openDocument(page, STEM);
  await page.locator('#json').fill('{"input": [1, 3, 32, 32], "layers": [');
  await page.locator('#json-error', { hasText: /./ }).waitFor();
  equal(await page.locator('#json').getAttribute('aria-invalid'), 'true', 'aria-invalid');
  equal(await shapeOf(page, 'pool'), '8 × 16 × 16', 'shape');
});

const ODD = [
  {}, { layers: 3 }, { input: 'x', layers: [{}] }, { input: [1, 3, 8, 8], layers: [1, null, 'x', [], { type: 5 }] }, { inputs: { a: 3 }, layers: [] },
  { inputs: {}, layers: [{ type: 'ReLU' }] }, { input: [], layers: [{ type: 'ReLU' }] }, { input: [1, 3, null, 8], layers: [{ type: 'Conv2d' }] }, { encoder: [] }, { encoder: 'x', decoder: {} },
  { input: [1, 3, 8, 8], layers: [{ type: 'Conv2d', name: {}, from: {}, expect: 'x', out_channels: [], kernel_size: { a: 1 }, stride: null, padding: [[1], 2], dilation: -1, groups: 'x', bias: 3 }] },
  { input: [1, 3, 8, 8], encoder: [{ type: 'MaxPool2d', kernel_size: 2 }], decoder: [null] }, { input: [1, 3, 8, 8], layers: [{ type: 'Upsample', scale_factor: 'x', mode: 7 }], layout: 'odd', dtype: 3 },
  { input: [1, 3, 8, 8], layers: [{ type: 'ReLU', name: { tag: 'img', props: { src: 'x' }, children: [] } }] },
  { input: [1, 3, 8, 8], layers: [{ type: { tag: 'iframe', props: {}, children: [] } }, { type: '__proto__' }, { type: 'constructor', toString: 1 }] },
  { input: [1, 3, 8, 8], layers: Array(3).fill({ type: 'ReLU', name: 'same' }) }, { input: [0, -3, 1e300, 0.5], layers: [{ type: 'ReLU' }] },
];

test('documents of odd forms are told, and never break the page', async (page) => {
  const { allLayers } = await web('document.js');
  await openDocument(page, STEM);
  for (const document of ODD) {
    const answered = page.waitForResponse((reply) => /\/v1\/(shapes|roundtrip)$/.test(reply.url()));
    await page.locator('#json').fill(JSON.stringify(document));
    await answered;
    await eventually(async () => /^(Every|The decoder)/.test(await verdict(page)), false, JSON.stringify(document));
    const rows = allLayers(document).length;
    await eventually(() => page.locator('[role=option]').count(), rows, JSON.stringify(document));
    if (rows) await page.locator('[role=option]').first().click();
    equal(await page.locator('main img:not(.figure img), main iframe').count(), 0, 'elements from a document');
  }
  await page.locator('#json').fill(JSON.stringify(STEM));
  await eventually(() => verdict(page), 'Every shape works out.', 'verdict');
});

for (const [able, told] of [[false, 'does not read'], [true, 'Use “Open…”']]) {
  test(`a model pasted as JSON is told apart, where the service ${able ? 'can' : 'cannot'} import it`, async (page) => {
    await pretendImport(page, able);
    await openDocument(page, STEM);
    await page.locator('#json').fill(PRINTED);
    await page.locator('#json-error', { hasText: 'print(model)' }).waitFor();
    await page.locator('#json-error', { hasText: told }).waitFor();
  });
}

test('the caret in the JSON selects its layer, and a selected layer shows in the JSON', async (page) => {
  await openDocument(page, STEM);
  await page.locator('#json').evaluate((area) => {
    area.focus();
    area.selectionStart = area.selectionEnd = area.value.indexOf('"pool"');
    area.dispatchEvent(new KeyboardEvent('keyup', { key: 'ArrowDown', bubbles: true }));
  });
  await eventually(() => option(page, 'pool').getAttribute('aria-selected'), 'true', 'selected');
  const before = await page.locator('.band.chosen').evaluate((band) => band.offsetTop);
  await option(page, 'last').click();
  await eventually(() => page.locator('.band.chosen').evaluate((band) => band.offsetTop), before + 20, 'band');
});

test('the newest answer wins', async (page) => {
  await openDocument(page, STEM);
  await option(page, 'conv').click();
  let held = null;
  await page.route('**/v1/shapes', async (route) => {
    if (!held && route.request().postData().includes('"kernel_size":5')) {
      held = route;
      return null;
    }
    return route.continue();
  });
  const firstAsked = page.waitForRequest((request) => request.url().endsWith('/v1/shapes') && request.postData().includes('"kernel_size":5'));
  await field(page, 'kernel_size').fill('5');
  const first = await firstAsked;
  await field(page, 'kernel_size').fill('7');
  await eventually(() => shapeOf(page, 'conv'), '8 × 28 × 28', 'shape');
  check(first.failure(), 'the old question was not given up');
  await held.continue().catch(() => {});
  equal(await shapeOf(page, 'conv'), '8 × 28 × 28', 'shape after the late answer');
});

test('layers are added, moved, duplicated, retyped and removed', async (page) => {
  await openDocument(page, STEM);
  await option(page, 'relu').click();
  await page.locator('#add-type').selectOption('BatchNorm2d');
  await page.getByRole('button', { name: 'Add layer' }).click();
  const types = async () => (await documentOf(page)).layers.map(({ type }) => type);
  await eventually(types, ['Conv2d', 'ReLU', 'BatchNorm2d', 'MaxPool2d', 'Conv2d'], 'types');
  await page.getByRole('button', { name: 'Move the layer up' }).click();
  await eventually(types, ['Conv2d', 'BatchNorm2d', 'ReLU', 'MaxPool2d', 'Conv2d'], 'types');
  await page.getByRole('button', { name: 'Duplicate' }).click();
  await field(page, 'type').selectOption('GELU');
  await eventually(types, ['Conv2d', 'BatchNorm2d', 'GELU', 'ReLU', 'MaxPool2d', 'Conv2d'], 'types');
  await page.getByRole('button', { name: 'Remove' }).click();
  await eventually(types, ['Conv2d', 'BatchNorm2d', 'ReLU', 'MaxPool2d', 'Conv2d'], 'types');
  equal(await verdict(page), 'Every shape works out.', 'verdict');
});

test('every type of layer can be added, and the service knows every member', async (page, origin) => {
  await openDocument(page, { input: [1, 4, 16, 16], layers: [] });
  const { layers } = await get(origin, '/v1/layers');
  for (const { type, axes } of layers) {
    // Within the page, as there are many: what the mouse does to it is in another test.
    const text = await page.evaluate(async ([name, empty]) => {
      const [json, types] = ['json', 'add-type'].map((id) => globalThis.document.getElementById(id));
      json.value = empty;
      json.dispatchEvent(new Event('input', { bubbles: true }));
      types.value = name;
      types.nextElementSibling.click();
      for (let frames = 0; frames < 100 && !json.value.includes(name); frames++) await new Promise(requestAnimationFrame);
      return json.value;
    }, [type, JSON.stringify({ input: [1, 4, ...Array(axes ?? 2).fill(16)], layers: [] })]);
    const document = JSON.parse(text);
    equal(document.layers.map((layer) => layer.type), [type], type);
    const { errors = [] } = await post(origin, '/v1/shapes', document);
    equal(errors.map(({ code, pointer }) => `${code} ${pointer}`), [], type);
  }
});

test('a renamed layer is followed by those that name it', async (page) => {
  const skip = { input: [1, 3, 8, 8], layers: [{ type: 'ReLU', name: 'a' }, { type: 'Tanh', name: 'b' }, { type: 'Add', from: ['a', 'b'] }] };
  await openDocument(page, skip);
  await option(page, 'a').click();
  await field(page, 'name').fill('stem');
  await eventually(async () => (await documentOf(page)).layers[2].from, ['stem', 'b'], 'from');
  equal(await verdict(page), 'Every shape works out.', 'verdict');
});

test('the input is edited, one or several', async (page) => {
  await openDocument(page, STEM);
  await page.locator('#input-input').fill('2, 3, 64, 48');
  await eventually(() => shapeOf(page, 'pool'), '8 × 32 × 24', 'shape');
  await openDocument(page, { inputs: { left: [1, 2, 8, 8], right: [1, 3, 8, 8] }, layers: [{ type: 'Concat', name: 'joined', from: ['left', 'right'] }] });
  await page.locator('#input-right').fill('1, 5, 8, 8');
  await eventually(() => shapeOf(page, 'joined'), '7 × 8 × 8', 'shape');
});

test('undo and redo, by buttons and keys, with typing as one step', async (page) => {
  await openDocument(page, STEM);
  check(await page.getByRole('button', { name: 'Undo' }).isDisabled(), 'there is something to undo');
  await option(page, 'conv').click();
  await field(page, 'out_channels').press('End');
  await field(page, 'out_channels').pressSequentially('00');
  await eventually(() => shapeOf(page, 'conv'), '800 × 32 × 32', 'shape');
  await page.getByRole('button', { name: 'Undo' }).click();
  await eventually(() => documentOf(page), STEM, 'document after undo');
  equal(await field(page, 'out_channels').inputValue(), '8', 'field after undo');
  await page.keyboard.press('Control+Shift+Z');
  await eventually(() => shapeOf(page, 'conv'), '800 × 32 × 32', 'shape after redo');
  await page.keyboard.press('Control+z');
  await eventually(() => documentOf(page), STEM, 'document after undo');
  await page.keyboard.press('Control+y');
  await eventually(() => shapeOf(page, 'conv'), '800 × 32 × 32', 'shape after redo');
});

// ---- Findings ----------------------------------------------------------------------------------------------------

const BROKEN = { ...STEM, layers: [...STEM.layers, { type: 'Conv2d', name: 'large', out_channels: 4, kernel_size: 11 }] };

test('a finding stands at its layer and is mended with a click', async (page, origin) => {
  await openDocument(page, BROKEN);
  await eventually(() => verdict(page), '1 thing to mend.', 'verdict');
  equal(await option(page, 'large').locator('.number').getAttribute('class'), 'number error', 'mark');
  await page.getByRole('button', { name: 'Show the first' }).click();
  const { findings } = await post(origin, '/v1/shapes', BROKEN);
  const finding = page.locator('#layer .finding');
  await eventually(() => finding.count(), 1, 'both axes are told at once');
  check((await finding.innerText()).includes(findings[0].suggestion.slice(1)), 'no suggestion'); // it begins with a capital
  await finding.getByRole('button', { name: `Set padding to ${JSON.stringify(findings[0].fix.value).replaceAll(',', ', ')}` }).click();
  await eventually(() => verdict(page), 'Every shape works out.', 'verdict');
  equal((await documentOf(page)).layers.at(-1).padding, findings[0].fix.value, 'padding');
  equal(await page.locator('#layer .finding').count(), 0, 'findings');
});

test('a member that the service does not know is shown and can be removed', async (page) => {
  await openDocument(page, { input: [1, 3, 8, 8], layers: [{ type: 'Conv2d', out_channels: 2, kernel_size: 3, strid: 2 }] });
  await eventually(() => verdict(page), 'Unknown member', 'verdict');
  await page.locator('#layer .finding', { hasText: 'strid' }).waitFor();
  await page.locator('#layer .fields').getByRole('button', { name: 'Remove' }).click();
  await eventually(() => verdict(page), 'Every shape works out.', 'verdict');
});

test('a finding leads to the page that explains its code', async (page, origin) => {
  await openDocument(page, BROKEN);
  await page.getByRole('button', { name: 'Show the first' }).click();
  const href = await page.locator('#layer .finding a').getAttribute('href');
  equal((await get(origin, `/${href}`)).code, 'kernel_exceeds_input', 'code');
});

test('a service that is gone is told, and asked again', async (page) => {
  await openDocument(page, STEM);
  await option(page, 'conv').click();
  await page.route('**/v1/shapes', (route) => route.abort());
  await field(page, 'stride').fill('2');
  await eventually(() => verdict(page), 'The service cannot be reached.', 'verdict');
  await page.unroute('**/v1/shapes');
  await field(page, 'stride').fill('4');
  await eventually(() => verdict(page), 'Every shape works out.', 'verdict');
}, { expects: /ERR_FAILED/ });

// ---- By keyboard -------------------------------------------------------------------------------------------------

test('all of it by keyboard alone', async (page) => {
  await openDocument(page, STEM);
  const focused = () => page.evaluate(() => document.activeElement.id);
  const tabTo = async (id) => {
    for (let at = 0; at < 60; at++) {
      if ((await focused()) === id) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`Tab does not lead to ${id}`);
  };
  await tabTo('rows');
  await page.keyboard.press('End');
  await eventually(() => option(page, 'last').getAttribute('aria-selected'), 'true', 'selected');
  await page.keyboard.press('ArrowUp');
  await eventually(() => option(page, 'pool').getAttribute('aria-selected'), 'true', 'selected');
  await page.keyboard.press('Alt+ArrowUp');
  await eventually(async () => (await documentOf(page)).layers.map(({ name }) => name), ['conv', 'pool', 'relu', 'last'], 'order');
  await page.keyboard.press('Enter');
  equal(await focused(), 'member-type', 'focus');
  await tabTo('member-kernel_size');
  await page.keyboard.press('ArrowUp');
  await eventually(async () => (await documentOf(page)).layers[1].kernel_size, 3, 'kernel_size');
  await page.keyboard.type('2');
  await eventually(async () => (await documentOf(page)).layers[1].kernel_size, 32, 'kernel_size');
  await page.keyboard.press('Control+z');
  await tabTo('json');
  await page.keyboard.press('Shift+Tab');
  await page.locator('#rows').focus();
  await page.keyboard.press('Delete');
  await eventually(async () => (await documentOf(page)).layers.map(({ name }) => name), ['conv', 'relu', 'last'], 'order');
});

test('a menu opens and closes by keyboard', async (page) => {
  await openDocument(page, STEM);
  const menu = page.locator('.menu').first();
  await menu.locator('summary').focus();
  await page.keyboard.press('Enter');
  await eventually(() => menu.getAttribute('open'), '', 'open');
  await page.keyboard.press('Escape');
  await eventually(() => menu.getAttribute('open'), null, 'open');
});

// ---- Large -------------------------------------------------------------------------------------------------------

test('a stack of 500 layers: few rows in the page, edits answered', async (page) => {
  const layers = Array.from({ length: 500 }, (_, at) => ({ type: at % 2 ? 'ReLU' : 'Conv2d', name: `layer${at}`, ...(at % 2 ? {} : { out_channels: 8, kernel_size: 3, padding: 1 }) }));
  await openDocument(page, { input: [1, 8, 64, 64], layers });
  const rows = await page.locator('[role=option]').count();
  check(rows > 5 && rows < 60, `${rows} rows`);
  equal(await page.locator('[role=option]').first().getAttribute('aria-setsize'), '500', 'size of the list');
  await page.locator('#rows').focus();
  await page.keyboard.press('End');
  await eventually(() => option(page, 'layer499').getAttribute('aria-posinset'), '500', 'the last row');
  await page.keyboard.press('ArrowUp');
  const begin = Date.now();
  await field(page, 'padding').fill('0');
  await eventually(() => shapeOf(page, 'layer498'), '8 × 62 × 62', 'shape');
  console.log(`# 500 layers: ${Date.now() - begin} ms from the keystroke to the shape`);
  const nodes = await page.evaluate(() => document.querySelectorAll('*').length);
  check(nodes < 4000, `${nodes} elements`);
});

await finish();
