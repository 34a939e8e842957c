/** What stands in the fenced blocks of a Markdown page. */

export interface Fence {
  /** the first word after the fence, '' where there is none */
  language: string;
  /** of the first line of the text, counted from 1 */
  line: number;
  text: string;
}

/** Blocks fenced by three or more backticks, also indented ones (in a list). Throws where one is never closed. */
export function fences(page: string): Fence[] {
  const found: Fence[] = [];
  let open: { mark: string; indent: number; language: string; line: number; lines: string[] } | undefined;
  for (const [at, line] of page.split('\n').entries()) {
    const [, space = '', mark = '', language = ''] = /^( *)(`{3,})\s*([\w+-]*)/.exec(line) ?? [];
    if (open === undefined) {
      if (mark !== '') open = { mark, indent: space.length, language, line: at + 2, lines: [] };
    } else if (line.trim() === open.mark) {
      found.push({ language: open.language, line: open.line, text: open.lines.join('\n') });
      open = undefined;
    } else {
      open.lines.push(line.slice(0, open.indent).trim() === '' ? line.slice(open.indent) : line);
    }
  }
  if (open !== undefined) throw new Error(`the block at line ${String(open.line - 1)} is never closed`);
  return found;
}

/** Spans of code outside of fenced blocks, their line breaks as blanks, with the line of their beginning. */
export function spans(page: string): { text: string; line: number }[] {
  const prose = page.split('\n');
  for (const { line, text } of fences(page)) {
    const length = text.split('\n').length;
    for (let at = line - 2; at <= line - 1 + length && at < prose.length; at += 1) prose[at] = '';
  }
  const text = prose.join('\n');
  return [...text.matchAll(/`((?:[^`\n]|\n(?!\s*\n))+)`/g)].map((match) => ({
    text: (match[1] ?? '').replaceAll(/\s*\n\s*/g, ' '),
    line: text.slice(0, match.index).split('\n').length,
  }));
}

/** Targets of links and images, without those to other sites and to places of the same page. */
export function links(page: string): { target: string; line: number }[] {
  // A pattern in a span of code may look like a link.
  const prose = page.replaceAll(/`[^`\n]+`/g, (code) => ' '.repeat(code.length));
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => ({
      target: (match[1] ?? '').replace(/#.*$/, ''),
      line: page.slice(0, match.index).split('\n').length,
    }))
    .filter(({ target }) => target !== '' && !/^[a-z]+:/.test(target));
}
