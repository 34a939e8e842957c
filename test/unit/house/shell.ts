/** The commands of a piece of shell, as far as documents use it: no expansion, no arithmetic, no functions. */

export interface Command {
  /** program and arguments; what a variable or $(...) would yield is left as it is written */
  words: string[];
  /** counted from 1 */
  line: number;
}

const OPERATOR = /^(?:&&|\|\||[|;&\n])/;
const REDIRECT = /^\d*(?:>>|>|<)(?:&\d)?[ \t]*/;
const HERE = /^<<-?[ \t]*(['"]?)(\w+)\1/;
/** What may stand in front of a program. */
const PREFIX = /^(?:sudo|time|do|then|else|if|while|until|!|[A-Za-z_]\w*=.*)$/s;

/** Commands in the order of their beginnings, those within $(...) after the one that holds them. */
export function commandsOf(text: string, firstLine = 1): Command[] {
  return new Reader(text, firstLine).commands();
}

class Reader {
  readonly #found: Command[] = [];
  readonly #firstLine: number;
  readonly #text: string;
  #at = 0;
  #words: string[] = [];
  #line = 0;
  #inner: Command[] = [];
  /** delimiters of here-documents that begin with the next line */
  #pending: string[] = [];

  constructor(text: string, firstLine: number) {
    this.#text = text;
    this.#firstLine = firstLine;
  }

  commands(): Command[] {
    while (this.#at < this.#text.length) this.#step();
    this.#end();
    return this.#found;
  }

  #step(): void {
    const rest = this.#text.slice(this.#at);
    const blank = /^(?:[ \t\r]|\\\n|#[^\n]*)+/.exec(rest)?.[0];
    if (blank !== undefined) {
      this.#at += blank.length;
      return;
    }
    const here = HERE.exec(rest);
    if (here !== null) {
      this.#pending.push(here[2] ?? '');
      this.#at += here[0].length;
      return;
    }
    const operator = OPERATOR.exec(rest)?.[0];
    if (operator !== undefined) {
      this.#end();
      this.#at += operator.length;
      if (operator === '\n') this.#skipHereDocuments();
      return;
    }
    const redirect = REDIRECT.exec(rest)?.[0];
    if (redirect !== undefined) {
      this.#at += redirect.length;
      if (!redirect.includes('&')) this.#word();
      return;
    }
    const at = this.#lineAt(this.#at);
    const word = this.#word();
    if (this.#words.length === 0 && PREFIX.test(word)) return;
    if (this.#words.length === 0) this.#line = at;
    this.#words.push(word);
  }

  #end(): void {
    if (this.#words.length > 0) this.#found.push({ words: this.#words, line: this.#line });
    this.#found.push(...this.#inner);
    [this.#words, this.#inner] = [[], []];
  }

  #skipHereDocuments(): void {
    for (const delimiter of this.#pending) {
      const lines = this.#text.slice(this.#at).split('\n');
      const last = lines.findIndex((line) => line.trim() === delimiter);
      const skipped = last < 0 ? lines : lines.slice(0, last + 1);
      this.#at = Math.min(this.#text.length, this.#at + skipped.join('\n').length + 1);
    }
    this.#pending = [];
  }

  #word(): string {
    let word = '';
    while (this.#at < this.#text.length) {
      const rest = this.#text.slice(this.#at);
      if (/^[\s|;&<>]/.test(rest)) break;
      const quoted = /^'([^']*)'|^"((?:\\[^]|[^"\\])*)"|^\\([^])/.exec(rest);
      if (quoted !== null) {
        const [all, single, double, escaped = ''] = quoted;
        word += single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? (escaped === '\n' ? '' : escaped);
        this.#at += all.length;
      } else if (rest.startsWith('$(')) {
        word += this.#substitution();
      } else {
        word += rest.charAt(0);
        this.#at += 1;
      }
    }
    return word;
  }

  #substitution(): string {
    const from = this.#at;
    let depth = 0;
    do {
      const character = this.#text.charAt(this.#at);
      if (character === '(') depth += 1;
      if (character === ')') depth -= 1;
      this.#at += 1;
    } while ((depth > 0 || this.#at < from + 2) && this.#at < this.#text.length);
    const text = this.#text.slice(from, this.#at);
    this.#inner.push(...commandsOf(text.slice(2, -1), this.#lineAt(from)));
    return text;
  }

  #lineAt(offset: number): number {
    return this.#firstLine + (this.#text.slice(0, offset).match(/\n/g)?.length ?? 0);
  }
}
