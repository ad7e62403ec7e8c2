// A planned document as PyTorch code: a module with the same layers, so the same parameters and shapes. Convplan's paddings
// that PyTorch has no word for become explicit ones. Sizes come from the plan.
import { allLayers, inputShapes, isObject, spatialAxes } from './document.js';
import { windowAxes, windowKind } from './window.js';

// ---- Python literals --------------------------------------------------------------------------------------------

function literal(value) {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return value.length === 1 ? `(${literal(value[0])},)` : `(${value.map(literal).join(', ')})`;
  return String(value);
}

const keyword = ([name, value]) => `${name}=${literal(value)}`;
const call = (name, positional, members) => `${name}(${[...positional.map(literal), ...members.map(keyword)].join(', ')})`;

const STRUCTURE = ['type', 'name', 'from', 'expect', 'meta'];
const without = (layer, ...names) =>
  Object.entries(layer).filter(([name]) => !STRUCTURE.includes(name) && !names.includes(name));

const alike = (values) => (values.every((value) => value === values[0]) ? values[0] : values);

// ---- Windows ----------------------------------------------------------------------------------------------------

/** Padding as nn.ConstantPad{N}d takes it: the last axis first, begin before end. */
const padFlat = (pads) => pads.slice().reverse().flat();

/** A window layer whose padding is made a layer of its own where the sides differ. */
function padded(axes, layer, fill, write) {
  const pads = axes.map(({ begin, end }) => [begin, end]);
  if (pads.every(([begin, end]) => begin === end)) return write(alike(pads.map(([begin]) => begin)));
  const pad = `nn.ConstantPad${axes.length}d(${literal(padFlat(pads))}, ${fill})`;
  return `nn.Sequential(${pad}, ${write(0)})`;
}

const some = (name, value, usual) => (value === usual ? [] : [[name, value]]);

function convolution(layer, { channels, axes }) {
  const members = without(layer, 'in_channels', 'out_channels', 'kernel_size', 'padding');
  const isWord = layer.padding === 'same' || layer.padding === 'valid';
  const write = (padding) =>
    call(`nn.${layer.type}`, [channels, layer.out_channels, layer.kernel_size], [...members, ...some('padding', padding, 0)]);
  return isWord ? write(layer.padding) : padded(axes, layer, '0.0', write);
}

/** What PyTorch's own padding cannot crop, a negative padding after it does. */
function transposed(layer, { channels, axes, output }) {
  const members = without(layer, 'in_channels', 'out_channels', 'kernel_size', 'padding', 'output_padding', 'output_size');
  const sides = axes.map((axis, at) => {
    const crop = Math.max(axis.begin + axis.end, 0);
    const natural = (axis.i - 1) * axis.s + axis.span - crop;
    const even = axis.begin === axis.end || crop === 0;
    return { crop: even ? Math.max(axis.begin, 0) : 0, rest: even ? [0, 0] : [-axis.begin, -axis.end], more: output[at] - natural };
  });
  const module = call(`nn.${layer.type}`, [channels, layer.out_channels, layer.kernel_size], [
    ...members,
    ...some('padding', alike(sides.map(({ crop }) => crop)), 0),
    ...some('output_padding', alike(sides.map(({ more }) => more)), 0),
  ]);
  if (sides.every(({ rest }) => rest[0] === 0 && rest[1] === 0)) return module;
  return `nn.Sequential(${module}, nn.ConstantPad${axes.length}d(${literal(padFlat(sides.map(({ rest }) => rest)))}, 0.0))`;
}

/** Pools take less padding than convplan does: at most half the kernel, alike on both sides, and none under a norm. More
 *  becomes a layer of its own; where rounding up adds a window, it is padded for too. Null for an average that PyTorch cannot
 *  take, as it would count other cells. */
function pool(layer, { axes, output }) {
  const isLp = layer.type.startsWith('LP');
  const isSame = typeof layer.padding === 'string' && layer.padding.startsWith('same');
  const ceil = layer.ceil_mode === true && !isSame;
  const write = (padding) => {
    const members = without(layer, 'padding', 'norm_type', 'kernel_size', 'stride', 'ceil_mode');
    const stride = layer.stride === undefined || layer.stride === null ? [] : [['stride', plainNumber(layer.stride)]];
    const round = ceil && padding !== null ? [['ceil_mode', true]] : [];
    const sizes = [...(isLp ? [layer.norm_type ?? 2] : []), plainNumber(layer.kernel_size)];
    return call(`nn.${layer.type}`, sizes, [...stride, ...members, ...some('padding', padding ?? 0, 0), ...round]);
  };
  const own = axes.every(({ begin, end, k }) => begin === end && begin <= (isLp ? 0 : Math.floor(k / 2)));
  if (own) return write(alike(axes.map(({ begin }) => begin)));
  if (layer.type.startsWith('Avg') && (ceil || layer.count_include_pad === false)) return null;
  const pads = axes.map(({ i, s, span, begin }, at) => [begin, (output[at] - 1) * s + span - i - begin]);
  const fill = layer.type.startsWith('Max') ? "float('-inf')" : '0.0';
  return `nn.Sequential(nn.ConstantPad${axes.length}d(${literal(padFlat(pads))}, ${fill}), ${write(null)})`;
}

/** One number for a list of one: not every layer takes the list. */
const plainNumber = (value) => (Array.isArray(value) && value.length === 1 ? value[0] : value);

const plain = (layer) => call(`nn.${layer.type}`, [], without(layer));
const leading = (...names) => (layer, { channels }) =>
  call(`nn.${layer.type}`, [layer[names[0]] ?? channels], without(layer, ...names));

// ---- Modules: one writer per family ------------------------------------------------------------------------------

const MODULES = [
  [/^Conv\dd$/, convolution],
  [/^ConvTranspose\dd$/, transposed],
  [/^(Max|Avg|LP)Pool\dd$/, pool],
  [/^Adaptive/, (layer) => call(`nn.${layer.type}`, [layer.output_size], [])],
  [/Pad\dd$/, (layer) => {
    const flat = Array.isArray(layer.padding?.[0]) ? padFlat(layer.padding) : layer.padding;
    const value = layer.type.startsWith('Constant') ? [layer.value ?? 0] : [];
    return call(`nn.${layer.type}`, [flat, ...value], []);
  }],
  [/^(Upsample|Flatten|Softmax|LogSoftmax)$/, plain],
  [/^Pixel(Shuffle|Unshuffle)$/, (layer) => call(`nn.${layer.type}`, [layer.upscale_factor ?? layer.downscale_factor], [])],
  [/^Linear$/, (layer, { features }) =>
    call('nn.Linear', [features, layer.out_features], without(layer, 'in_features', 'out_features'))],
  [/^Unflatten$/, (layer) => call('nn.Unflatten', [layer.dim, layer.unflattened_size], [])],
  [/^ChannelShuffle$/, (layer) => call('nn.ChannelShuffle', [layer.groups], [])],
  [/^(Batch|Instance)Norm\dd$/, leading('num_features')],
  [/^GroupNorm$/, (layer, { channels }) =>
    call('nn.GroupNorm', [layer.num_groups, channels], without(layer, 'num_groups', 'num_channels'))],
  [/^LayerNorm$/, (layer) => call('nn.LayerNorm', [layer.normalized_shape], without(layer, 'normalized_shape'))],
  [/^LocalResponseNorm$/, (layer) => call('nn.LocalResponseNorm', [layer.size], without(layer, 'size'))],
  [/^Scale$/, (layer, { channels }) => call('Scale', [channels], without(layer, 'num_features'))],
];

const isActivation = (type) =>
  /^(ReLU6?|LeakyReLU|PReLU|ELU|SELU|GELU|SiLU|Mish|Sigmoid|Tanh|Softplus|Hardtanh|Hardsigmoid|Hardswish|(Alpha)?Dropout(\dd)?|Identity)$/.test(type);

// ---- Expressions: what is no module -------------------------------------------------------------------------------

const sliceText = (dim, start, end, step) =>
  `[${dim < 0 ? `..., ` : ':, '.repeat(dim)}${start || ''}:${end ?? ''}${step > 1 ? `:${step}` : ''}${dim < -1 ? ', :'.repeat(-1 - dim) : ''}]`;

const reshaped = (shape) => `(${shape.map((size) => String(size)).join(', ')}${shape.length === 1 ? ',' : ''})`;

const EXPRESSIONS = {
  Add: (layer, inputs) => inputs.join(' + '),
  Sub: (layer, inputs) => inputs.join(' - '),
  Mul: (layer, inputs) => inputs.join(' * '),
  Concat: (layer, inputs) => `torch.cat([${inputs.join(', ')}], dim=${layer.dim ?? 1})`,
  Reshape: (layer, [x]) => `${x}.reshape(${reshaped(layer.shape)})`,
  Permute: (layer, [x]) => `${x}.permute(${reshaped(layer.dims)})`,
  Slice: (layer, [x]) => `${x}${sliceText(layer.dim, layer.start, layer.end, layer.step)}`,
  Mean: (layer, [x]) => `${x}.mean(${[layer.dim].map(literal)}${layer.keepdim ? ', keepdim=True' : ''})`,
};

function crop(layer, [x], { spatial, output }) {
  const ranges = output.map((size, axis) => {
    const begin = Math.floor((spatial[axis] - size) / 2);
    return `${begin}:${begin + size}`;
  });
  return `${x}[:, :, ${ranges.join(', ')}]`;
}

// ---- The whole --------------------------------------------------------------------------------------------------

/** A Python identifier for a layer's name; unique, as names that differ only in punctuation get a number. */
function identifiers(names) {
  const taken = new Set(['self', 'x', 'torch', 'nn', 'F', 'forward']);
  return names.map((name) => {
    const base = name.replace(/\W/g, '_').replace(/^(?=\d)/, 'layer_');
    let candidate = base;
    for (let number = 2; taken.has(candidate); number++) candidate = `${base}_${number}`;
    taken.add(candidate);
    return candidate;
  });
}

/** The pool whose indices an unpooling layer needs: the last one before it that took the size that it gives. */
function poolOf(rows, at) {
  const { output, layer } = rows[at];
  for (let before = at - 1; before >= 0; before--) {
    const row = rows[before];
    const sameAxes = row.layer.type === layer.type.replace('Unpool', 'Pool');
    if (sameAxes && !row.unpooled && String(row.spatial) === String(output)) return row;
  }
  return null;
}

/** What each layer becomes: {module} or {expression}, or {unknown} with the reason. */
function translate(row) {
  const { layer, inputs } = row;
  if (layer.type in EXPRESSIONS) return { expression: EXPRESSIONS[layer.type](layer, inputs, row) };
  if (layer.type.startsWith('CenterCrop')) return { expression: crop(layer, inputs, row) };
  if (layer.type.startsWith('MaxUnpool')) {
    const module = call(`nn.${layer.type}`, [layer.kernel_size], without(layer, 'kernel_size', 'output_size'));
    return row.pool ? { module, unpool: true } : { unknown: 'no pool gives its indices' };
  }
  const writer = MODULES.find(([pattern]) => pattern.test(layer.type));
  if (writer && windowKind(layer.type) && !row.axes) return { unknown: 'its window is not known' };
  if (writer) {
    const module = writer[1](layer, row);
    return module ? { module } : { unknown: 'PyTorch would average over other cells' };
  }
  return isActivation(layer.type) ? { module: plain(layer) } : { unknown: 'PyTorch has no such layer' };
}

function rowsOf(document, planned) {
  const shapes = new Map(Object.entries(inputShapes(document)));
  const names = [...shapes.keys(), ...planned.map((plan) => plan.name)];
  const identifier = new Map(names.map((name, at) => [name, identifiers(names)[at]]));
  const spatialOf = (shape) => (shape ? spatialAxes(document, shape.length).map((axis) => shape[axis]) : null);
  const isLast = document.layout === 'channels_last';
  const rows = allLayers(document).map(({ layer }, at) => {
    const plan = planned[at];
    const source = shapes.get(plan.from[0]);
    shapes.set(plan.name, plan.output);
    const channels = source?.[isLast ? source.length - 1 : 1];
    const spatial = spatialOf(source);
    return {
      layer,
      plan,
      variable: identifier.get(plan.name),
      inputs: plan.from.map((name) => identifier.get(name)),
      channels,
      features: isLast ? channels : source?.at(-1),
      spatial,
      output: spatialOf(plan.output),
      axes: windowAxes(layer, spatial),
    };
  });
  rows.forEach((row, at) => {
    if (!/^MaxUnpool/.test(row.layer.type)) return;
    row.pool = poolOf(rows, at);
    if (row.pool) row.pool.unpooled = row;
  });
  return { rows, arguments: Object.keys(inputShapes(document)).map((name) => identifier.get(name)) };
}

const SCALE = `
class Scale(nn.Module):
    """A factor for each channel, and a bias."""

    def __init__(self, features, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features)) if bias else None

    def forward(self, x):
        shape = (1, -1) + (1,) * (x.dim() - 2)
        x = x * self.weight.view(shape)
        return x if self.bias is None else x + self.bias.view(shape)
`;

const isChain = (rows, count) =>
  count === 1 &&
  rows.every((row, at) => row.code.module && !row.code.unpool && !row.unpooled && row.plan.from.length === 1 &&
    (at === 0 || row.plan.from[0] === rows[at - 1].plan.name));

function chainText(rows) {
  const named = rows.some((row) => row.layer.name);
  const lines = rows.map((row) => (named ? `    (${literal(row.variable)}, ${row.code.module}),` : `    ${row.code.module},`));
  const [open, close] = named ? ['OrderedDict([', ']))'] : ['', ')'];
  return `model = nn.Sequential(${open}\n${lines.join('\n')}\n${close}\n`;
}

function stepText(row) {
  const { variable, code, inputs } = row;
  if (code.unknown) return `raise NotImplementedError(${literal(`${row.plan.name} (${row.layer.type}): ${code.unknown}`)})`;
  if (code.expression) return `${variable} = ${code.expression}`;
  if (code.unpool) return `${variable} = self.${variable}(${inputs[0]}, ${row.pool.variable}_indices, output_size=${literal(row.output)})`;
  const results = row.unpooled ? `${variable}, ${variable}_indices` : variable;
  return `${results} = self.${variable}(${inputs[0]})`;
}

function classText(rows, parameters) {
  const modules = rows.filter((row) => row.code.module).map((row) => {
    const module = row.unpooled ? row.code.module.replace(/\)$/, ', return_indices=True)') : row.code.module;
    return `        self.${row.variable} = ${module}`;
  });
  const steps = rows.map((row) => `        ${stepText(row)}`);
  return [
    'class Network(nn.Module):',
    '    def __init__(self):',
    '        super().__init__()',
    ...modules,
    '',
    `    def forward(self, ${parameters.join(', ')}):`,
    ...steps,
    `        return ${rows.at(-1).variable}`,
    '',
    '',
    'model = Network()',
    '',
  ].join('\n');
}

/** Code that makes `model`. `planned` are the layers of the plan: name, from, output. Only for a plan without an error: else
 *  channels are not known. */
export function toPyTorch(document, planned) {
  const { rows, arguments: parameters } = rowsOf(document, planned);
  for (const row of rows) row.code = isObject(row.layer) ? translate(row) : { unknown: 'no layer' };
  const chain = isChain(rows, parameters.length);
  const shapes = Object.values(inputShapes(document));
  const examples = shapes.map((shape) => `torch.zeros(${literal(shape)})`).join(', ');
  const imports = ['import torch', 'from torch import nn'];
  if (chain && rows.some((row) => row.layer.name)) imports.unshift('from collections import OrderedDict', '');
  const isLast = document.layout === 'channels_last';
  return [
    `${imports.join("\n")}\n`,
    isLast ? '# Planned with the channels last. PyTorch takes them second: permute inputs and outputs.\n' : '',
    rows.some((row) => row.layer.type === 'Scale') ? SCALE : '',
    chain ? chainText(rows) : classText(rows, parameters),
    isLast ? '' : `# model(${examples}).shape == ${literal(planned.at(-1).output)}\n`,
  ].filter(Boolean).join('\n');
}
