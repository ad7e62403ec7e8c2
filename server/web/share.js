// A document in the fragment of a URL: deflated, then base64 with letters that URLs leave alone. Fragments never leave the
// browser.

async function through(stream, bytes) {
  const reply = new Response(new Blob([bytes]).stream().pipeThrough(stream));
  return new Uint8Array(await reply.arrayBuffer());
}

function toBase64(bytes) {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

const fromBase64 = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));

/** "#z=…" */
export async function toFragment(text) {
  const bytes = new TextEncoder().encode(text);
  return `#z=${toBase64(await through(new CompressionStream('deflate'), bytes))}`;
}

/** The text that a fragment holds; null where it holds none or is damaged. `#example=NAME` is the page's business. */
export async function fromFragment(fragment) {
  const match = /^#z=([\w-]+)$/.exec(fragment);
  if (!match) return null;
  try {
    const bytes = await through(new DecompressionStream('deflate'), fromBase64(match[1]));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
