// The API reference, made from the description that the service serves.
import { get, send } from './api.js';
import { h, render } from './dom.js';
import { jsonText } from './json_text.js';
import { inlineText, textBlocks } from './markdown.js';
import { resolve, schemaView } from './schema_view.js';
import { showToken, startToken } from './token.js';

const METHODS = ['get', 'post'];

let description = null;
const open = new Set(); // paths of schemas that are open
const runs = new Map(); // operationId → {example, body, values, reply}

const content = document.getElementById('content');

// ---- The description ---------------------------------------------------------------------------------------------

function operationsOf() {
  return Object.entries(description.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, ...item[method] })));
}

const parametersOf = (operation) => (operation.parameters ?? []).map((parameter) => resolve(description, parameter));

const jsonOf = (holder) => holder?.content?.['application/json'] ?? null;

function firstExample(operation) {
  return Object.keys(jsonOf(operation.requestBody)?.examples ?? {})[0] ?? null;
}

function parameterExample(parameter) {
  const [example] = Object.values(parameter.examples ?? {});
  const usual = parameter.required ? parameter.schema?.enum?.[0] : undefined;
  return String(example?.value ?? parameter.example ?? usual ?? '');
}

function bodyOf(operation, example) {
  const value = jsonOf(operation.requestBody)?.examples?.[example]?.value;
  return value === undefined ? '' : jsonText(value);
}

function runOf(operation) {
  const id = operation.operationId;
  if (!runs.has(id)) {
    const example = firstExample(operation);
    const values = Object.fromEntries(parametersOf(operation).map((parameter) => [parameter.name, parameterExample(parameter)]));
    runs.set(id, { example, body: bodyOf(operation, example), values, reply: null });
  }
  return runs.get(id);
}

function change(operation, members) {
  Object.assign(runOf(operation), members);
  draw();
}

// ---- Running an example ------------------------------------------------------------------------------------------

/** The path with its parameters and the query, without the slash at its beginning: it is relative to where the page is. */
function target(operation) {
  const { values } = runOf(operation);
  const query = new URLSearchParams();
  let path = operation.path;
  for (const parameter of parametersOf(operation)) {
    const value = values[parameter.name];
    if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (parameter.in === 'query' && value !== '') query.set(parameter.name, value);
  }
  const text = query.toString();
  return (path + (text ? `?${text}` : '')).slice(1) || './';
}

async function read(reply) {
  const type = reply.headers.get('Content-Type') ?? '';
  const text = await reply.text();
  if (/json/.test(type)) return { text: jsonText(JSON.parse(text)) };
  if (/svg/.test(type)) return { picture: URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' })) };
  return { text };
}

async function run(operation) {
  const { body } = runOf(operation);
  const options = operation.method === 'post' ? { method: 'POST', headers: { 'Content-Type': 'application/json' }, body } : {};
  try {
    const reply = await send(target(operation), options);
    const timing = reply.headers.get('Server-Timing');
    change(operation, { reply: { status: reply.status, timing, ...(await read(reply)) } });
  } catch {
    change(operation, { reply: { status: 0, text: 'The service cannot be reached.' } });
  }
}

function replyView(reply) {
  if (!reply) return null;
  const good = reply.status >= 200 && reply.status < 300;
  return [
    h('p', { class: 'status', role: 'status', key: 'status' },
      h('span', { class: good ? 'good' : 'bad' }, reply.status || 'No reply'), reply.status === 401 && h('button', { type: 'button', onclick: () => showToken(true) }, 'Give a token'),
      h('span', { class: 'quiet' }, reply.timing ?? '')),
    reply.picture
      ? h('img', { src: reply.picture, alt: 'The picture that the service drew', key: 'picture' })
      : h('pre', { tabindex: '0', key: 'text', 'aria-label': 'Reply' }, reply.text),
  ];
}

function parameterControl(operation, parameter, value) {
  const id = `${operation.operationId}-${parameter.name}`;
  const set = (event) => change(operation, { values: { ...runOf(operation).values, [parameter.name]: event.target.value } });
  const { enum: words } = resolve(description, parameter.schema);
  if (!words) return h('input', { id, value, autocomplete: 'off', spellcheck: 'false', oninput: set });
  const choices = parameter.required ? words : ['', ...words];
  return h('select', { id, value, onchange: set }, choices.map((word) => h('option', { key: word, value: String(word) }, word)));
}

function runView(operation) {
  const { example, body, values, reply } = runOf(operation);
  const id = operation.operationId;
  const examples = Object.entries(jsonOf(operation.requestBody)?.examples ?? {});
  const fields = parametersOf(operation).map((parameter) =>
    h('div', { class: 'field', key: parameter.name },
      h('label', { for: `${id}-${parameter.name}` }, parameter.name), parameterControl(operation, parameter, values[parameter.name])));
  return h('div', { class: 'run', key: 'run' },
    h('div', { class: 'row' },
      examples.length > 1 && h('div', { class: 'field' }, h('label', { for: `${id}-example` }, 'example'),
        h('select', { id: `${id}-example`, value: example, onchange: (event) => change(operation, { example: event.target.value, body: bodyOf(operation, event.target.value), reply: null }) },
          examples.map(([name, { summary }]) => h('option', { key: name, value: name }, summary ?? name)))),
      fields,
      h('button', { type: 'button', class: 'primary', onclick: () => run(operation) }, 'Run'),
      h('code', { class: 'quiet' }, `${operation.method.toUpperCase()} /${target(operation).replace('./', '')}`)),
    operation.requestBody && h('textarea', { 'aria-label': `Body of ${operation.summary}`, rows: String(Math.min(18, body.split('\n').length + 1)), spellcheck: 'false', value: body,
      oninput: (event) => change(operation, { body: event.target.value }) }),
    replyView(reply));
}

// ---- An operation ------------------------------------------------------------------------------------------------

const toggle = (path, isOpen) => {
  if (open.has(path) === isOpen) return;
  if (isOpen) open.add(path);
  else open.delete(path);
  draw();
};

function parametersView(operation) {
  const parameters = parametersOf(operation);
  if (!parameters.length) return null;
  const schema = { type: 'object', required: parameters.filter(({ required }) => required).map(({ name }) => name),
    properties: Object.fromEntries(parameters.map((parameter) => [parameter.name, { description: parameter.description, ...parameter.schema }])) };
  return h('div', { key: 'parameters' }, h('h4', {}, 'Parameters'), schemaView(description, schema, `${operation.operationId}/parameters`, open, toggle));
}

function mediaView(operation, status, type, media) {
  const [example] = Object.values(media.examples ?? {});
  return h('div', { key: type },
    h('p', { class: 'quiet' }, type),
    schemaView(description, media.schema ?? {}, `${operation.operationId}/${status}/${type}`, open, toggle),
    example && h('pre', { tabindex: '0', 'aria-label': `Example of a reply with status ${status}` },
      typeof example.value === 'string' ? example.value : jsonText(example.value)));
}

function repliesView(operation) {
  const replies = Object.entries(operation.responses).map(([status, response]) => [status, resolve(description, response)]);
  return h('div', { class: 'replies', key: 'replies' }, h('h4', {}, 'Replies'),
    replies.map(([status, response]) => {
      const path = `${operation.operationId}/${status}`;
      return h('details', { key: status, open: open.has(path), ontoggle: (event) => toggle(path, event.target.open) },
        h('summary', {}, h('span', { class: 'code' }, status), ' ', inlineText(response.description.trim())),
        open.has(path) && Object.entries(response.content ?? {}).map(([type, media]) => mediaView(operation, status, type, media)));
    }));
}

function operationView(operation) {
  const body = jsonOf(operation.requestBody);
  return h('section', { class: 'operation', id: operation.operationId, key: operation.operationId, 'aria-labelledby': `${operation.operationId}-title` },
    h('header', {},
      h('h3', { id: `${operation.operationId}-title` }, operation.summary),
      h('span', { class: 'endpoint' }, h('span', { class: `method ${operation.method}` }, operation.method.toUpperCase()), ` ${operation.path}`)),
    h('div', { class: 'text' }, textBlocks(operation.description)),
    parametersView(operation),
    body && h('div', { key: 'body' }, h('h4', {}, 'Body'), schemaView(description, body.schema, `${operation.operationId}/body`, open, toggle)),
    runView(operation),
    repliesView(operation));
}

// ---- The page ----------------------------------------------------------------------------------------------------

function draw() {
  const operations = operationsOf();
  const groups = description.tags.map((tag) => ({ ...tag, operations: operations.filter(({ tags }) => tags?.[0] === tag.name) }));
  const title = (name) => name.charAt(0).toUpperCase() + name.slice(1);
  render(document.getElementById('contents'), groups.flatMap((group) => [
    h('h2', { key: group.name }, title(group.name)),
    h('ul', { key: `${group.name}-list` }, group.operations.map((operation) =>
      h('li', { key: operation.operationId }, h('a', { href: `#${operation.operationId}` },
        operation.path)))),
  ]));
  render(content, [
    h('div', { class: 'intro', key: 'intro' },
      h('h1', {}, description.info.summary), h('div', { class: 'text' }, textBlocks(description.info.description))),
    groups.map((group) => h('section', { class: 'group', key: group.name, 'aria-label': title(group.name) },
      h('h2', {}, title(group.name)), h('p', { class: 'quiet' }, group.description), group.operations.map(operationView))),
  ]);
}

async function start() {
  startToken();
  const { body } = await get('openapi.json');
  description = body;
  document.querySelector('h1').remove();
  content.querySelector('noscript')?.remove();
  draw();
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

start().catch(() => render(content, h('p', { role: 'alert' }, 'The description cannot be read from this server. Reload to try again.')));
