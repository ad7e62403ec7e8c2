#!/usr/bin/env node
// The pages' pure modules, without a browser.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { check, equal, finish, get, post, root, test, web } from './harness.mjs';

const doc = await web('document.js');
const history = await web('history.js');
const members = await web('members.js');
const { outline } = await web('outline.js');
const { toFragment, fromFragment } = await web('share.js');
const { recognise } = await web('importing.js');
const { toPyTorch } = await web('pytorch.js');
const { works } = await web('sizes.js');
const { jsonText } = await web('json_text.js');
const { merged } = await web('answer.js');
const numbers = await web('numbers.js');
const { sentence } = await web('describe.js');
const { factor } = await web('sizes.js');

const pure = (name, run) => test(name, run, { pageless: true });

pure('every file of server/web is served as it stands, under a policy that admits nothing foreign or inline', async (origin) => {
  const directory = path.join(root, 'server/web');
  for (const name of readdirSync(directory)) {
    const reply = await fetch(`${origin}/web/${name}`);
    equal(reply.status, 200, name);
    const content = await reply.text();
    equal(content, readFileSync(path.join(directory, name), 'utf8'), name);
    const policy = reply.headers.get('Content-Security-Policy');
    check(policy.startsWith("default-src 'none'; script-src 'self'; style-src 'self'; ") && !/unsafe|https?:|\*/.test(policy), policy);
  }
});

// ---- Documents ---------------------------------------------------------------------------------------------------

pure('every example is written and read back, and outlined in its own layout and in ours', async (origin) => {
  const { examples } = await get(origin, '/v1/examples');
  for (const { name, href } of examples) {
    const own = await (await fetch(origin + href)).text();
    const document = JSON.parse(own);
    for (const text of [own, doc.formatDocument(document), JSON.stringify(document)]) {
      equal(JSON.parse(text), document, name);
      const spans = outline(text, ['layers']).layers;
      equal(spans.map(({ begin, end }) => JSON.parse(text.slice(begin, end))), document.layers, name);
    }
  }
});

const HARD = [
  '{"a\\"]": "x\\\\", "layers": [ {"n": "}]"} , 1, "s", null, [[{}]] ], "more": 1e5}',
  ' {"layers":[]} ',
  '{"x": -1.5, "encoder": [true], "decoder": [{"a": {"b": []}}]}',
];

pure('texts that are hard to outline', () => {
  for (const text of HARD) {
    const value = JSON.parse(text);
    const lists = ['layers', 'encoder', 'decoder'].filter((name) => name in value);
    const places = outline(text, lists);
    for (const list of lists) equal(places[list].map(({ begin, end }) => JSON.parse(text.slice(begin, end))), value[list], text);
  }
});

pure('pointers: set, make, escape', () => {
  const document = { layers: [{ type: 'A' }, { type: 'B', padding: [1, 2] }] };
  equal(doc.setAtPointer(document, '/layers/1/padding', 0).layers[1], { type: 'B', padding: 0 }, 'set');
  equal(doc.setAtPointer(document, '/layers/1/padding/0', 9).layers[1].padding, [9, 2], 'an element');
  equal(doc.setAtPointer(document, '/layers/0/stride', 2).layers[0], { type: 'A', stride: 2 }, 'make');
  equal(doc.setAtPointer({}, '/a~1b~0c', 1), { 'a/b~c': 1 }, 'escapes');
  equal(document.layers[1].padding, [1, 2], 'the old document');
  check(doc.setAtPointer(document, '/layers/1/padding', 0).layers[0] === document.layers[0], 'what did not change is not shared');
});

pure('renaming follows from and like', () => {
  const document = { layers: [{ name: 'a' }, { from: 'a' }, { from: ['a', 'b'] }, { like: 'a' }, { from: 'ab' }] };
  equal(doc.renameLayer(document, { list: 'layers', index: 0 }, 'z').layers, [{ name: 'z' }, { from: 'z' }, { from: ['z', 'b'] }, { like: 'z' }, { from: 'ab' }], 'layers');
});

pure('sizes of the input: all inputs that are alike, in either layout', () => {
  equal(doc.setInputSizes({ input: [1, 3, 8, 9] }, { 3: 5 }).input, [1, 3, 8, 5], 'one');
  equal(doc.setInputSizes({ inputs: { a: [1, 3, 8, 8], b: [1, 1, 8, 8], c: [1, 8] } }, { 2: 4, 3: 4 }).inputs, { a: [1, 3, 4, 4], b: [1, 1, 4, 4], c: [1, 8] }, 'several');
  equal(doc.spatialAxes({ layout: 'channels_last' }, 4), [1, 2], 'channels last');
});

pure('stacks split into pairs and join again', () => {
  const document = { input: [1, 1, 8, 8], layers: [{ type: 'Conv2d' }, { type: 'ConvTranspose2d' }] };
  equal(doc.likelySplit(document), 1, 'split');
  equal(doc.joinPair(doc.splitStack(document, 1)), document, 'joined');
});

pure('undo and redo; changes of one label coalesce while they are quick', () => {
  let now = history.createHistory('a');
  now = history.record(now, 'b', 'type', 0);
  now = history.record(now, 'c', 'type', 500);
  now = history.record(now, 'd', 'type', 5000);
  now = history.record(now, 'e', null, 5001);
  const seen = [];
  for (; history.canUndo(now); now = history.undo(now)) seen.push(now.present);
  equal([...seen, now.present], ['e', 'd', 'c', 'a'], 'undone');
  while (history.canRedo(now)) now = history.redo(now);
  equal(now.present, 'e', 'redone');
});

// ---- Members -----------------------------------------------------------------------------------------------------

const READ = [
  ['', undefined], ['3', 3], [' 1e1 ', 10], ['1, 2', [1, 2]], ['1 2', [1, 2]], ['3×5', [3, 5]], ['same', 'same'], ['[[0, 1], [2, 3]]', [[0, 1], [2, 3]]],
  ['null', null], ['[1', '[1'], ['-1', -1], ['1.5, 2', [1.5, 2]], ['1,', [1]], ['true', true], ['a, b', 'a, b'],
];

pure('members are read as they are meant', () => {
  for (const [text, wanted] of READ) equal(members.readMember(text), wanted, JSON.stringify(text));
  for (const value of [3, [1, 2], 'same', [[0, 1], [2, 3]], [1, null, 3]]) equal(members.readMember(members.writeMember(value)), value, JSON.stringify(value));
});

pure('shapes are lists, with ? for any size', () => {
  equal(members.readShape('1, ?, 8'), [1, null, 8], 'open');
  equal(members.readShape('8'), [8], 'one');
  equal(members.readShape('[1, null]'), [1, null], 'JSON');
  equal(members.readShape(''), undefined, 'none');
});

// ---- Sharing and importing ----------------------------------------------------------------------------------------

pure('what is shared comes back, whatever its letters', async () => {
  for (const text of ['{}', JSON.stringify({ name: 'größe 層 😀', many: Array(5000).fill('x') })]) {
    const fragment = await toFragment(text);
    check(/^#z=[\w-]+$/.test(fragment), fragment);
    equal(await fromFragment(fragment), text, 'text');
  }
  for (const damaged of ['', '#', '#z=', '#z=!!', '#z=AAAA', '#other']) equal(await fromFragment(damaged), null, damaged);
});

const FORMS = [
  ['{"input": [1], "layers": []}', 'stack'],
  ['{"class_name": "Functional", "config": {}}', 'keras'],
  ['ResNet(\n  (conv1): Conv2d(3, 64)\n)', 'pytorch'],
  ['[1, 2]', 'unknown'],
  ['hello', 'unknown'],
];

pure('what was pasted is recognised', () => {
  for (const [text, form] of FORMS) equal(recognise(new TextEncoder().encode(text)).form, form, text);
  equal(recognise(Uint8Array.from([8, 7, 18, 4, 0x70, 0x79, 0x74, 0x6f])).form, 'onnx', 'ONNX');
  equal(recognise(Uint8Array.from([0xff, 0xd8, 0xff])).form, 'unknown', 'a picture');
});

// ---- Code --------------------------------------------------------------------------------------------------------

const CODE = [
  ['a chain', { input: [1, 3, 8, 8], layers: [{ type: 'Conv2d', out_channels: 4, kernel_size: 3, bias: false }, { type: 'ReLU' }] },
    ['nn.Sequential(', 'nn.Conv2d(3, 4, 3, bias=False)', 'nn.ReLU()', '.shape == (1, 4, 6, 6)']],
  ['sides that differ', { input: [1, 1, 9, 9], layers: [{ type: 'Conv2d', out_channels: 1, kernel_size: 4, stride: 2, padding: 'same_upper' }] },
    ['nn.ConstantPad2d((1, 2, 1, 2), 0.0)']],
  ['a pool padded with nothing', { input: [1, 1, 9], layers: [{ type: 'MaxPool1d', kernel_size: 4, padding: [[1, 2]] }] },
    ["nn.ConstantPad1d((1, 2), float('-inf'))", 'nn.MaxPool1d(4)']],
  ['a pool padded by more than half', { input: [1, 1, 6], layers: [{ type: 'MaxPool1d', kernel_size: [3], stride: 1, dilation: 2, padding: 'half' }] },
    ["nn.ConstantPad1d((2, 2), float('-inf'))", 'nn.MaxPool1d(3, stride=1, dilation=2)']],
  ['a norm that rounds up', { input: [1, 2, 9], layers: [{ type: 'LPPool1d', norm_type: 2, kernel_size: [2], stride: 2, padding: [1], ceil_mode: true }] },
    ['nn.ConstantPad1d((1, 0), 0.0)', 'nn.LPPool1d(2, 2, stride=2)']],
  ['an average that PyTorch has not', { input: [1, 2, 9], layers: [{ type: 'AvgPool1d', kernel_size: 3, padding: [[0, 1]], count_include_pad: false }] },
    ['raise NotImplementedError']],
  ['output_size', { input: [1, 1, 4, 4], layers: [{ type: 'ConvTranspose2d', out_channels: 1, kernel_size: 3, stride: 2, padding: 1, output_size: 8 }] },
    ['padding=1, output_padding=1']],
  ['a skip', { input: [1, 2, 8, 8], layers: [{ type: 'ReLU', name: 'a.b' }, { type: 'Tanh', name: 'c' }, { type: 'Concat', from: ['a.b', 'c'] }] },
    ['class Network(nn.Module)', 'a_b = self.a_b(input)', 'torch.cat([a_b, c], dim=1)']],
  ['a crop', { input: [1, 1, 9, 9], layers: [{ type: 'CenterCrop2d', output_size: 4 }] }, ['[:, :, 2:6, 2:6]']],
  ['an unpooling', { input: [1, 1, 8, 8], layers: [{ type: 'MaxPool2d', name: 'p', kernel_size: 2 }, { type: 'MaxUnpool2d', name: 'u', kernel_size: 2 }] },
    ['return_indices=True', 'p, p_indices = self.p(input)', 'self.u(p, p_indices, output_size=(8, 8))']],
  ['a scale', { input: [1, 4, 8, 8], layers: [{ type: 'Scale' }] }, ['class Scale(nn.Module)', 'Scale(4)']],
  ['what PyTorch has not', { input: [1, 4], layers: [{ type: 'Opaque', name: 'odd', output_shape: [1, 4] }] }, ['raise NotImplementedError("odd (Opaque)']],
  ['a slice', { input: [1, 4, 8, 8], layers: [{ type: 'Slice', dim: -1, start: 1, end: 5, step: 2 }] }, ['input[..., 1:5:2]']],
  ['channels last', { input: [1, 8, 8, 3], layout: 'channels_last', layers: [{ type: 'Conv2d', out_channels: 4, kernel_size: 3 }] }, ['nn.Conv2d(3, 4, 3)', 'channels last']],
];

for (const [name, document, parts] of CODE) {
  pure(`PyTorch code of ${name}`, async (origin) => {
    const { layers } = await post(origin, '/v1/shapes', document);
    const code = toPyTorch(document, layers);
    for (const part of parts) check(code.includes(part), `${part} is not in\n${code}`);
  });
}

// ---- Small things -------------------------------------------------------------------------------------------------

pure('sizes that work, of a law with exceptions', () => {
  const law = { period: 4, residues: [1, 2], from: 10, exceptions: [3] };
  equal(Array.from({ length: 20 }, (_, at) => at).filter((size) => works(law, size)), [3, 10, 13, 14, 17, 18], 'sizes');
});

pure('findings of each axis are told once', () => {
  const finding = { code: 'c', pointer: '/layers/0', detail: 'H: 4', fix: { pointer: '/p', value: 1 } };
  equal(merged([{ ...finding, axis: 'H' }, { ...finding, axis: 'W', detail: 'W: 4' }, { ...finding, pointer: '/layers/1', axis: 'H' }]).map(({ axes }) => axes), [['H', 'W'], ['H']], 'axes');
});

pure('numbers for people', () => {
  equal([0, 999, 1000, 25557032, 4089184256].map(numbers.short), ['0', '999', '1.00\u202fk', '25.6\u202fM', '4.09\u202fG'], 'short');
  equal([12, 1536, 6422528].map(numbers.bytes), ['12\u202fB', '1.50\u202fKiB', '6.13\u202fMiB'], 'bytes');
  equal(numbers.exact(25557032), '25\u202f557\u202f032', 'exact');
  equal([numbers.short(null), numbers.bytes(undefined)], ['–', '–'], 'unknown');
});

pure('JSON for people says the same', async (origin) => {
  const description = await get(origin, '/openapi.json');
  equal(JSON.parse(jsonText(description)), description, 'description');
});

for (const [milliseconds, wanted] of [[0.047, '47\u202fµs'], [0.0000001, '1\u202fµs'], [5.259, '5.26\u202fms'], [2100, '2.10\u202fs']]) {
  pure(`a duration of ${milliseconds} ms is ${wanted}`, () => equal(numbers.duration(milliseconds), wanted, 'duration'));
}

pure('a negative number has a minus sign, not a hyphen', () => equal([-3, 0, 4].map(numbers.signed), ['−3', '0', '4'], 'numbers'));

for (const [remark, wanted] of [
  ['pad more, or use a smaller kernel', 'Pad more, or use a smaller kernel.'],
  ['a size is too large', 'A size is too large.'],
  ['in_channels is 3, but the input has 4', 'in_channels is 3, but the input has 4.'],
  ['`up1` gives [8, 8]', '`up1` gives [8, 8].'],
  ['did you mean `Conv2d`?', 'Did you mean `Conv2d`?'],
  ['o = s(i − 1)', 'o = s(i − 1).'],
  ['The request has no token.', 'The request has no token.'],
]) {
  pure(`told as a sentence: ${remark}`, () => equal(sentence(remark), wanted, 'sentence'));
}

for (const [size, wanted] of [[16, 16], ['n', 'n'], ['2n', '2n'], ['2n + 1', '(2n + 1)'], ['⌊(n − 1)/8⌋', '⌊(n − 1)/8⌋'], ['8⌊(n − 1)/8⌋ + 4', '(8⌊(n − 1)/8⌋ + 4)']]) {
  pure(`${size} among factors`, () => equal(factor(size), wanted, 'factor'));
}

await finish();
