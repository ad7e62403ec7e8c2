// The windows of a layer, one axis at a time, from the members as they are written: for figures and for code. Sizes are the
// service's; here only paddings are turned into cells.

const WINDOWED = /^(Conv|ConvTranspose|MaxPool|AvgPool|LPPool|MaxUnpool)(\d)d$/;

/** {family, axes}: what kind of window layer a type is, or null. */
export function windowKind(type) {
  const match = WINDOWED.exec(type || '');
  return match && { family: match[1], axes: Number(match[2]) };
}

const perAxis = (value, axis, fallback) => {
  const given = Array.isArray(value) ? value[axis] : value;
  return Number.isInteger(given) ? given : fallback;
};

/** [begin, end] in cells of one axis; null for a word or a form that means nothing here. */
function paddingCells(layer, axis, { family, i, k, s, span }) {
  const { padding = 0 } = layer;
  if (Number.isInteger(padding)) return [padding, padding];
  if (Array.isArray(padding)) {
    const given = padding[axis];
    if (Number.isInteger(given)) return [given, given];
    return Array.isArray(given) && given.every(Number.isInteger) && given.length === 2 ? given : null;
  }
  const split = (total, atBegin) => (atBegin ? [Math.ceil(total / 2), Math.floor(total / 2)] : [Math.floor(total / 2), Math.ceil(total / 2)]);
  switch (padding) {
    case 'valid': return [0, 0];
    case 'half': return [Math.floor(span / 2), Math.floor(span / 2)];
    case 'full': return [span - 1, span - 1];
    case 'same': return split(span - 1, false);
    case 'same_upper':
    case 'same_lower': {
      const total = family === 'ConvTranspose' ? span - s : Math.max((Math.ceil(i / s) - 1) * s + span - i, 0);
      return split(total, padding === 'same_lower');
    }
    default: return null;
  }
}

/** Per axis {i, k, s, d, begin, end, outputPadding, span}, for the input's spatial sizes; null where a member is missing or
 *  wrong. `span` is k̂, the cells that a dilated kernel reaches over. */
export function windowAxes(layer, inputSizes) {
  const kind = windowKind(layer.type);
  if (!kind || inputSizes?.length !== kind.axes) return null;
  const pools = kind.family.includes('ool');
  const axes = [];
  for (let axis = 0; axis < kind.axes; axis++) {
    const i = inputSizes[axis];
    const k = perAxis(layer.kernel_size, axis, null);
    const s = perAxis(layer.stride, axis, pools ? k : 1);
    const d = perAxis(layer.dilation, axis, 1);
    if (!(i > 0 && k > 0 && s > 0 && d > 0)) return null;
    const span = (k - 1) * d + 1;
    const cells = paddingCells(layer, axis, { family: kind.family, i, k, s, span });
    if (!cells) return null;
    const outputPadding = perAxis(layer.output_padding, axis, 0);
    axes.push({ i, k, s, d, begin: cells[0], end: cells[1], outputPadding, span });
  }
  return axes;
}

/** "3", or "3×5" where the axes differ. */
export const acrossAxes = (axes, member) => {
  const values = axes.map((axis) => axis[member]);
  return values.every((value) => value === values[0]) ? String(values[0]) : values.join('×');
};
