// A small virtual DOM: a view is a function from state to descriptions of elements, and render() changes what differs.
// Elements are kept, so focus, selection and scroll positions survive; keys keep list items with their elements.

/** What h() makes. A class of its own, so that no object of a document is ever taken for an element. */
class Description {
  constructor(tag, props, children) {
    this.tag = tag;
    this.props = props;
    this.children = children;
    this.key = props.key;
  }
}

/** Describe an element. Props: `key`, `on…` functions, `class`, `style` (an object), and attributes. A boolean writes or
 *  removes an attribute; `value` and `checked` are set as properties; `keep(element)` true leaves `value` as typed. Children
 *  are descriptions, lists of them, or text; null, undefined and booleans are left out. */
export const h = (tag, props, ...children) => new Description(tag, props ?? {}, nodesOf(children));

const nodesOf = (children) => children.flat(Infinity).filter(isShown).map(asNode);
const isShown = (child) => child !== null && child !== undefined && child !== false && child !== true;
const asNode = (child) => (child instanceof Description ? child : { text: typeof child === 'object' ? JSON.stringify(child) : String(child) });

const rendered = new WeakMap();

/** Make the children of `root` what `view` (an element, a list of them, or null) describes. */
export function render(root, view) {
  const after = nodesOf([view]);
  patchChildren(root, rendered.get(root) || [], after);
  rendered.set(root, after);
}

/** A view that is computed again only when one of its arguments is another: an unchanged description costs nothing. */
export function cached(view) {
  let last = null;
  let result;
  return (...args) => {
    if (!last || args.some((arg, at) => arg !== last[at])) {
      result = view(...args);
      last = args;
    }
    return result;
  };
}

function create(node) {
  if (node.text !== undefined) {
    node.element = document.createTextNode(node.text);
    return node.element;
  }
  node.element = document.createElement(node.tag);
  patchChildren(node.element, [], node.children);
  for (const name in node.props) setProp(node.element, name, undefined, node.props[name], node.props);
  return node.element;
}

function patch(before, after) {
  after.element = before.element;
  if (before === after) return;
  if (after.text !== undefined) {
    if (after.text !== before.text) after.element.data = after.text;
    return;
  }
  patchChildren(after.element, before.children, after.children);
  for (const name in before.props) {
    if (!(name in after.props)) setProp(after.element, name, before.props[name], undefined, after.props);
  }
  for (const name in after.props) setProp(after.element, name, before.props[name], after.props[name], after.props);
}

const isSame = (before, after) => before && before.tag === after.tag && before.key === after.key;

function patchChildren(parent, before, after) {
  if (before === after) return;
  const byKey = new Map();
  const unkeyed = [];
  for (const node of before) {
    if (node.key !== undefined) byKey.set(node.key, node);
    else unkeyed.push(node);
  }
  let at = 0;
  const kept = new Set();
  for (const node of after) {
    const old = node.key !== undefined ? byKey.get(node.key) : unkeyed[at++];
    if (isSame(old, node)) {
      kept.add(old);
      patch(old, node);
    } else {
      create(node);
    }
  }
  for (const node of before) if (!kept.has(node)) node.element.remove();
  let next = parent.firstChild;
  for (const node of after) {
    if (node.element === next) next = next.nextSibling;
    else parent.insertBefore(node.element, next);
  }
}

function setProp(element, name, before, after, props) {
  if (name === 'key' || name === 'keep') return;
  if (name === 'value' || name === 'checked') setField(element, name, after, props);
  else if (after === before) return;
  else if (name.startsWith('on')) setListener(element, name.slice(2), after);
  else if (name === 'style') setStyle(element, before || {}, after || {});
  else if (after === undefined || after === null || after === false) element.removeAttribute(name);
  else element.setAttribute(name, after === true ? '' : after);
}

function setField(element, name, value, props) {
  if (element[name] === value) return;
  if (name === 'value' && element === document.activeElement && props.keep?.(element)) return;
  element[name] = value ?? '';
}

function setStyle(element, before, after) {
  for (const name in before) if (!(name in after)) element.style.removeProperty(name);
  for (const name in after) if (before[name] !== after[name]) element.style.setProperty(name, after[name]);
}

// One listener per event and element, which calls the newest handler: a new closure costs no call of the DOM.
function setListener(element, type, handler) {
  const handlers = (element.handlers ||= {});
  if (!(type in handlers)) element.addEventListener(type, (event) => handlers[type]?.(event));
  handlers[type] = handler;
}
