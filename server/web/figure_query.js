// Which of the service's figures shows a layer: the layer's own window over an input small enough to look at.
import { windowAxes, windowKind } from './window.js';

const FEW_POSITIONS = 3; // of the window on an axis, where the layer has more
const MOST_CELLS = 26; // of an axis: more is a texture, no figure

const OPERATIONS = { Conv: 'conv', ConvTranspose: 'conv_transpose', MaxPool: 'pool', AvgPool: 'pool', LPPool: 'pool' };

/** The smallest input that this window treats like the real one: the same remainder, up to FEW_POSITIONS positions. */
function shrink(axis, transposed) {
  const { i, s, span, begin, end } = axis;
  if (transposed) return { ...axis, i: Math.min(i, FEW_POSITIONS) };
  const positions = Math.floor((i + begin + end - span) / s) + 1;
  if (positions < 1) return null;
  const dropped = Math.max(0, positions - FEW_POSITIONS);
  return { ...axis, i: Math.max(i - dropped * s, 1) };
}

/** Positions of the window; as in PyTorch, one that rounding up adds has to begin before the end padding. */
function positionsOf({ i, s, span, begin, end, outputPadding }, transposed, ceil) {
  if (transposed) return s * (i - 1) + span + outputPadding - begin - end;
  const exact = (i + begin + end - span) / s + 1;
  if (!ceil) return Math.floor(exact);
  const rounded = Math.ceil(exact);
  return (rounded - 1) * s >= i + begin ? rounded - 1 : rounded;
}

const both = (axes, write) => {
  const values = axes.map(write);
  return values.every((value) => value === values[0]) ? values[0] : values.join(',');
};

/** {path, steps, reduced} for a layer over inputs of these spatial sizes, or {reason} why there is no figure. `reduced` says
 *  that the figure's input is smaller than the layer's. */
export function figureOf(layer, inputSizes) {
  const kind = windowKind(layer.type);
  const op = kind && OPERATIONS[kind.family];
  if (!op) return { reason: 'Figures show windows: convolutions, transposed convolutions and pools.' };
  if (kind.axes > 2) return { reason: 'Figures show one or two axes; this layer has three.' };
  const real = windowAxes(layer, inputSizes);
  if (!real) return { reason: 'The figure appears when the members say a window.' };
  const transposed = op === 'conv_transpose';
  const axes = real.map((axis) => shrink(axis, transposed));
  if (axes.includes(null)) return { reason: 'No window fits.' };
  const extent = axes.map((axis) => axis.begin + axis.end + (transposed ? axis.s * axis.i : axis.i) + axis.span);
  if (extent.some((cells) => cells > MOST_CELLS * 2)) return { reason: 'This window is too large to draw.' };
  const ceil = layer.ceil_mode === true && !String(layer.padding).startsWith('same');
  const positions = axes.map((axis) => positionsOf(axis, transposed, ceil));
  if (positions.some((count) => count < 1)) return { reason: 'Nothing comes out, so there is nothing to draw.' };
  const query = new URLSearchParams({ op });
  query.set('i', both(axes, (axis) => axis.i));
  query.set('k', both(axes, (axis) => axis.k));
  query.set('s', both(axes, (axis) => axis.s));
  query.set('p', both(axes, (axis) => (axis.begin === axis.end ? axis.begin : `${axis.begin}:${axis.end}`)));
  query.set('d', both(axes, (axis) => axis.d));
  if (axes.length === 1) query.set('axes', 1);
  if (ceil) query.set('ceil_mode', true);
  if (transposed) query.set('a', both(axes, (axis) => axis.outputPadding));
  return {
    path: `v1/figure.svg?${query}`.replaceAll('%2C', ',').replaceAll('%3A', ':'),
    steps: positions.reduce((product, count) => product * count, 1),
    reduced: axes.some((axis, at) => axis.i !== real[at].i),
    sizes: axes.map((axis) => axis.i),
  };
}
