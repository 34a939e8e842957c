/** Canaries: random texts that stand for secrets, and the search for them in whatever form they may have got out. */
import { randomBytes } from 'node:crypto';

/** Of a form no shorter than this a chance hit is out of the question. */
const SHORTEST = 12;

/** A text that every encoding changes: between two random parts stand what JSON, URLs and base64 each write otherwise. */
export function newCanary(): string {
  return `${randomBytes(6).toString('hex')}"\\/+ü& ${randomBytes(10).toString('hex')}`;
}

/** Where nothing but letters and digits may stand. */
export function newPlainCanary(): string {
  return randomBytes(16).toString('hex');
}

/** Every form that is searched for, by name. */
export function formsOf(canary: string): Map<string, string> {
  const json = JSON.stringify(canary).slice(1, -1);
  const [head, tail] = [canary.slice(0, SHORTEST), canary.slice(-SHORTEST)];
  const forms = new Map([
    ['plain', canary],
    ['the first 12 characters', head],
    ['the last 12 characters', tail],
    ['JSON', json],
    ['JSON in JSON', JSON.stringify(json).slice(1, -1)],
    ['URL', encodeURIComponent(canary)],
    ['hexadecimal', Buffer.from(head).toString('hex')],
  ]);
  for (const offset of [0, 1, 2]) {
    forms.set(`base64 at ${String(offset)}`, base64Within(canary, offset));
    forms.set(`base64 of the first 12 characters at ${String(offset)}`, base64Within(head, offset));
    forms.set(`base64 of the last 12 characters at ${String(offset)}`, base64Within(tail, offset));
  }
  return forms;
}

/** What of the base64 of a text that has this one at `offset` (mod 3) is the same whatever stands around it. */
function base64Within(text: string, offset: number): string {
  const bytes = Buffer.from(text);
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const whole = Math.floor(((offset + bytes.length) * 8) / 6);
  return encoded.slice(Math.ceil((offset * 8) / 6), whole);
}

/** `NAME as FORM in SOURCE` of every form of every canary that some source holds. */
export function hits(canaries: ReadonlyMap<string, string>, sources: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const [source, text] of sources) {
    // base64url differs in two characters, and there are lines that are cut into 64 or 76.
    const joined = text
      .replaceAll('-', '+')
      .replaceAll('_', '/')
      .replace(/\\n|\s/g, '');
    for (const [name, canary] of canaries)
      for (const [form, wanted] of formsOf(canary))
        if (text.includes(wanted) || (form.startsWith('base64') && joined.includes(wanted)))
          found.push(`${name} as ${form} in ${source}`);
  }
  return found;
}
