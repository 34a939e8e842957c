/**
 * Takes a stream apart as kubectl does (k8s.io/apimachinery/pkg/util/yaml): a text that begins with `{` is read as JSON
 * values for as long as that works; the rest is cut at each line that begins with `---`, before any YAML is read.
 */
import { parseJson } from '../json.ts';
import { Fault } from './error.ts';
import { endOfQuoted } from './quotes.ts';

export interface Chunk {
  text: string;
  /** the line of the file it begins with, from 1 */
  firstLine: number;
}

export interface JsonPrefix {
  values: unknown[];
  /** where the rest begins, in UTF-16 units */
  end: number;
}

const SEPARATOR = '---';

/**
 * The chunks of a YAML stream. Each holds one document: what stands behind a document end mark (`...`) is not read.
 * Throws Fault (its offset counts from the text's beginning) for a separator with something behind it.
 */
export function chunksOf(text: string, firstLine: number): Chunk[] {
  const chunks: Chunk[] = [];
  let lines: string[] = [];
  let begin = firstLine;
  let at = 0;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line.startsWith(SEPARATOR)) {
      const behind = line.slice(SEPARATOR.length).trim();
      if (behind !== '' && !behind.startsWith('#'))
        throw new Fault(
          `only a comment may stand on the line of a document separator, there is: ${excerpt(behind)}`,
          at,
        );
      if (lines.length > 0) {
        chunks.push({ text: documentIn(lines), firstLine: begin });
        lines = [];
        begin = firstLine + index + 1;
        at += raw.length + 1;
        continue;
      }
    }
    lines.push(line);
    at += raw.length + 1;
  }
  if (lines.at(-1) === '') lines.pop();
  chunks.push({ text: documentIn(lines), firstLine: begin });
  return chunks;
}

function documentIn(lines: readonly string[]): string {
  const end = lines.findIndex((line) => /^\.\.\.(?:[ \t\r]|$)/.test(line));
  return (end === -1 ? lines : lines.slice(0, end)).map((line) => `${line}\n`).join('');
}

function excerpt(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/**
 * The JSON values that a text begins with, and where the YAML begins. After two values there is no way back to YAML:
 * throws Fault, as it does past `maxDepth`.
 */
export function jsonPrefix(text: string, maxDepth: number): JsonPrefix {
  const values: unknown[] = [];
  let end = 0;
  for (;;) {
    const start = skipSpace(text, end);
    if (start === text.length) return { values, end: start };
    const value = text[start] === '{' ? jsonObject(text, start, maxDepth) : undefined;
    if (value === undefined) {
      if (values.length > 1) throw new Fault('expected another JSON object, or the end', start);
      return { values, end: toFirstContent(text, end) };
    }
    values.push(value.parsed);
    end = value.end;
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text.charAt(at))) at += 1;
  return at;
}

/** Spaces up to the first line break, and that: the indentation of what follows it still means something to YAML. */
function toFirstContent(text: string, from: number): number {
  const [spaces = ''] = /^[^\S\n]*\n?/.exec(text.slice(from, skipSpace(text, from))) ?? [];
  return from + spaces.length;
}

function jsonObject(
  text: string,
  start: number,
  maxDepth: number,
): { parsed: unknown; end: number } | undefined {
  const end = endOfJson(text, start, maxDepth);
  if (end === undefined) return undefined;
  try {
    return { parsed: parseJson(text.slice(start, end)), end };
  } catch {
    return undefined;
  }
}

function endOfJson(text: string, start: number, maxDepth: number): number | undefined {
  const delimiter = /["[\]{}]/g;
  delimiter.lastIndex = start;
  let depth = 0;
  for (let found = delimiter.exec(text); found !== null; found = delimiter.exec(text)) {
    if (found[0] === '"') {
      const end = endOfQuoted(text, delimiter.lastIndex, '"');
      if (end === undefined) return undefined;
      delimiter.lastIndex = end;
      continue;
    }
    depth += found[0] === '{' || found[0] === '[' ? 1 : -1;
    if (depth > maxDepth) throw new Fault(`nested more than ${String(maxDepth)} levels deep`, found.index);
    if (depth === 0) return delimiter.lastIndex;
  }
  return undefined;
}
