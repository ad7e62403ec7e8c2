// Where the parts of a JSON text stand: the editor shows the selected layer's lines and follows the caret.

/** The places of the elements of the arrays `lists` at the text's top level: {layers: [{begin, end}, …], …}, in
 *  characters. The text must be valid JSON. */
export function outline(text, lists) {
  const places = {};
  let at = 0;

  const skipSpace = () => {
    while (at < text.length && ' \t\n\r'.includes(text[at])) at++;
  };
  const skipString = () => {
    at++;
    while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    at++;
  };
  const skipValue = () => {
    let depth = 0;
    do {
      const letter = text[at];
      if (letter === '"') skipString();
      else {
        if (letter === '{' || letter === '[') depth++;
        else if (letter === '}' || letter === ']') depth--;
        at++;
      }
      if (depth === 0 && (letter === '"' || letter === '}' || letter === ']')) return;
    } while (depth > 0 || !',]} \t\n\r'.includes(text[at] ?? ' '));
  };
  const readElements = () => {
    const found = [];
    at++;
    for (skipSpace(); text[at] !== ']'; skipSpace()) {
      const begin = at;
      skipValue();
      found.push({ begin, end: at });
      skipSpace();
      if (text[at] === ',') at++;
    }
    at++;
    return found;
  };

  skipSpace();
  if (text[at] !== '{') return places;
  at++;
  for (skipSpace(); text[at] !== '}'; skipSpace()) {
    const begin = at;
    skipString();
    const name = JSON.parse(text.slice(begin, at));
    skipSpace();
    at++;
    skipSpace();
    if (lists.includes(name) && text[at] === '[') places[name] = readElements();
    else skipValue();
    skipSpace();
    if (text[at] === ',') at++;
  }
  return places;
}
