/**
 * YAML as kubectl reads it. What a user applies and what git holds must mean to the operator what they mean to the API
 * server: 0644 is 420, `yes` is true, 1:30 is a string, the last of two equal keys wins.
 *
 * kubectl's way is k8s.io/apimachinery/pkg/util/yaml (takes the stream apart) -> sigs.k8s.io/yaml -> go.yaml.in/yaml/v2
 * (YAML 1.1) -> JSON. The syntax is read by js-yaml, the meaning given here. The two grammars differ in rare corners; what
 * would be read differently is refused.
 */
import { compose } from './yaml/compose.ts';
import { Fault, YamlError } from './yaml/error.ts';
import { parseDocument } from './yaml/nodes.ts';
import { chunksOf, jsonPrefix, type Chunk } from './yaml/stream.ts';

export { YamlError } from './yaml/error.ts';

export interface YamlOptions {
  /** what an error calls the text */
  file?: string;
  /** UTF-16 units or bytes; default 32 Mi */
  maxLength?: number;
  /** levels of nesting, aliases expanded; default 500 */
  maxDepth?: number;
}

const MAX_LENGTH = 32 * 2 ** 20;
/** The parser recurses: 500 levels fit into the stack of a worker thread as well. */
const MAX_DEPTH = 500;

/**
 * The documents of a YAML or JSON stream as JSON values, in order, without those that are empty or null. An integer of
 * int64 that a double cannot hold is a `JSON.rawJSON`. One broken document makes the whole stream an error.
 * Throws YamlError with line and column.
 */
export function parseYaml(source: string | Uint8Array, options: YamlOptions = {}): unknown[] {
  const { file, maxLength = MAX_LENGTH, maxDepth = MAX_DEPTH } = options;
  if (source.length > maxLength)
    throw new YamlError(`the text has more than ${String(maxLength)} characters`, 1, 1, file);
  const text = typeof source === 'string' ? source : decode(source, file);
  const documents: unknown[] = [];
  let rest = 0;
  if (/^\s*\{/.test(text) && !text.startsWith('\ufeff')) {
    const json = located(text, 1, file, () => jsonPrefix(text, maxDepth));
    documents.push(...json.values);
    rest = json.end;
  }
  const yaml = text.slice(rest);
  const firstLine = 1 + (text.slice(0, rest).match(/\n/g)?.length ?? 0);
  const chunks = located(yaml, firstLine, file, () => chunksOf(yaml, firstLine));
  for (const chunk of chunks) {
    const value = documentOf(chunk, maxDepth, file);
    if (value !== null && value !== undefined) documents.push(value);
  }
  return documents;
}

/** The only document of a text; undefined when there is none. Throws YamlError, also when there are several. */
export function parseYamlDocument(source: string | Uint8Array, options: YamlOptions = {}): unknown {
  const documents = parseYaml(source, options);
  if (documents.length > 1)
    throw new YamlError(`expected one document, there are ${String(documents.length)}`, 1, 1, options.file);
  return documents[0];
}

function documentOf({ text, firstLine }: Chunk, maxDepth: number, file: string | undefined): unknown {
  return located(text, firstLine, file, () => {
    const root = parseDocument(text, maxDepth);
    return root === undefined ? undefined : compose(root, maxDepth);
  });
}

function located<T>(text: string, firstLine: number, file: string | undefined, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof Fault ? error.located(text, firstLine, file) : error;
  }
}

function decode(bytes: Uint8Array, file: string | undefined): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new YamlError('the text is not UTF-8', 1, 1, file);
  }
}
