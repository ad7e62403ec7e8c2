// What is it that was pasted or dropped? Stacks are JSON; models in other forms go through /v1/import where the service
// has it.
import { isObject, parseDocument } from './document.js';

const FORMS = {
  keras: { name: 'a Keras model (model.to_json)', type: 'application/vnd.keras+json' },
  pytorch: { name: 'PyTorch’s print(model)', type: 'text/x-pytorch' },
  onnx: { name: 'an ONNX file', type: 'application/onnx' },
};

const isOnnx = (bytes) => bytes[0] === 0x08 && bytes.slice(0, 4096).some((byte) => byte === 0x12 || byte === 0x3a || byte === 0x42);

/** {form: 'stack', document} | {form: 'keras' | 'pytorch' | 'onnx'} | {form: 'unknown', error}, from the bytes. */
export function recognise(bytes) {
  let text;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return isOnnx(bytes) ? { form: 'onnx' } : { form: 'unknown', error: 'This file is neither text nor an ONNX model.' };
  }
  if (isOnnx(bytes)) return { form: 'onnx' };
  if (/^\s*[A-Z]\w*\(\s*\n\s+\(\w+\): /.test(text)) return { form: 'pytorch' };
  const { document, error } = parseDocument(text);
  if (!document) return { form: 'unknown', error };
  if (typeof document.class_name === 'string' && isObject(document.config)) return { form: 'keras' };
  return { form: 'stack', document };
}

/** Said where the service cannot import this form. */
export const notRead = (form) =>
  `This looks like ${FORMS[form].name}, which this service does not read. What it reads is JSON: {"input": [1, 3, 224, 224], "layers": [{"type": "Conv2d", …}]}.`;

/** Turn what was recognised into a document: {document, findings} or {error}. `post(type, bytes)` asks /v1/import, or is null
 *  where the service cannot import. */
export async function importBytes(bytes, post) {
  const found = recognise(bytes);
  if (found.form === 'stack') return { document: found.document, findings: [] };
  if (found.form === 'unknown') return { error: found.error };
  if (!post) return { error: notRead(found.form) };
  const reply = await post(FORMS[found.form].type, bytes);
  if (!reply.ok) return { error: reply.body.detail ?? `The service answered ${reply.status}.` };
  const { findings = [], ...document } = reply.body;
  return { document, findings };
}
