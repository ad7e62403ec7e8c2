// The question that the page asks, as a command.
import { formatDocument, isPair } from './document.js';

const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** `authorized`: the server asks for a token. It is not written out: the shell's variable TOKEN holds it. */
export function toCurl(document, base, authorized = false) {
  const path = isPair(document) ? 'v1/roundtrip' : 'v1/shapes';
  const body = formatDocument(document).trimEnd();
  return `curl -s ${quote(new URL(path, base).href)} \\\n${authorized ? '  -H "Authorization: Bearer $TOKEN" \\\n' : ''}  -H 'Content-Type: application/json' \\\n  --data-binary ${quote(body)}\n`;
}
