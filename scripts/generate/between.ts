/** A table in the middle of a page that people write: between two comments, made anew by `npm run generate`. */
export function between(page: string, what: string, source: string, table: string, file: string): string {
  const begin = `<!-- ${what}: generated from ${source} by npm run generate -->`;
  const end = `<!-- end of ${what} -->`;
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} must hold "${begin}" and "${end}"`);
  return `${page.slice(0, from + begin.length)}\n\n${table.trimEnd()}\n\n${page.slice(to)}`;
}
