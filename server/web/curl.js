// The question that the page asks, as a command.
import { formatDocument, isPair } from './document.js';

const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

export function toCurl(document, base) {
  const path = isPair(document) ? 'v1/roundtrip' : 'v1/shapes';
  const body = formatDocument(document).trimEnd();
  return `curl -s ${quote(new URL(path, base).href)} \\\n  -H 'Content-Type: application/json' \\\n  --data-binary ${quote(body)}\n`;
}
