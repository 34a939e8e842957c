/** Not regular expressions: V8's overflow the stack on a string of some megabytes. */

/** The offset behind the closing quote of a string whose content goes on at `from`; undefined: it is not closed. */
export function endOfQuoted(text: string, from: number, quote: '"' | "'"): number | undefined {
  for (let at = from; ;) {
    const found = text.indexOf(quote, at);
    if (found === -1) return undefined;
    if (quote === "'" && text[found + 1] === "'") at = found + 2;
    else if (quote === '"' && isEscaped(text, found, from)) at = found + 1;
    else return found + 1;
  }
}

function isEscaped(text: string, at: number, from: number): boolean {
  let backslashes = 0;
  while (at - backslashes > from && text[at - backslashes - 1] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}
