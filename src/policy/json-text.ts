/** JSON for a Wasm module. */
import { stringifyJson } from '../runtime/json.ts';

/** Half a surrogate pair is an escape that the Wasm module gives up on; Go's JSON reads it as U+FFFD. */
export function jsonText(value: unknown): string {
  const text = stringifyJson(value);
  if (!text.includes('\\ud')) return text;
  return text.replace(/\\(?:ud[89a-f][0-9a-f]{2}|.)/g, (escape) => (escape.length > 2 ? '\\ufffd' : escape));
}
