/**
 * The table of a chart's values out of the comments in values.yaml. A comment that begins with two dashes belongs to the
 * key below it (the convention of helm-docs); a value without one, or a comment without a key, is an error.
 */
import { load } from 'js-yaml';

interface Row {
  path: string;
  description: string;
}

export function valuesTable(text: string): string {
  const values = load(text) as Record<string, unknown>;
  const rows = rowsOf(text);
  const described = new Set(rows.map(({ path }) => path));
  const missing = leaves(values, [...described]).filter((path) => !described.has(path));
  if (missing.length > 0) throw new Error(`values.yaml: no "# --" comment above ${missing.join(', ')}`);
  const lines = rows.map(({ path, description }) => {
    const value = JSON.stringify(at(values, path));
    return `| \`${path}\` | ${escape(description)} | \`${value.length > 60 ? '(see values.yaml)' : escape(value)}\` |`;
  });
  return ['| value | what it is | default |', '|---|---|---|', ...lines, ''].join('\n');
}

function rowsOf(text: string): Row[] {
  const rows: Row[] = [];
  const parents: { indent: number; key: string }[] = [];
  let description: string | undefined;
  for (const line of text.split('\n')) {
    const [, comment, continued] = /^\s*#( --)?\s?(.*)$/.exec(line) ?? [];
    if (continued !== undefined) {
      if (comment !== undefined) description = continued.trim();
      else if (description !== undefined) description += ` ${continued.trim()}`;
      continue;
    }
    const [, spaces, key] = /^( *)([A-Za-z][A-Za-z0-9]*):/.exec(line) ?? [];
    if (spaces === undefined || key === undefined) continue;
    while ((parents.at(-1)?.indent ?? -1) >= spaces.length) parents.pop();
    parents.push({ indent: spaces.length, key });
    if (description === undefined) continue;
    rows.push({ path: parents.map((parent) => parent.key).join('.'), description });
    description = undefined;
  }
  if (description !== undefined) throw new Error(`values.yaml: nothing below "# -- ${description}"`);
  return rows;
}

/** Every value that is not an object, or that has a description as a whole. */
function leaves(value: unknown, described: readonly string[], path = ''): string[] {
  if (described.includes(path)) return [path];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, child]) =>
    leaves(child, described, path === '' ? key : `${path}.${key}`),
  );
}

function at(values: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], values);
}

function escape(text: string): string {
  return text.replaceAll('|', '\\|');
}
