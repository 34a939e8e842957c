/** Seeded YAML documents that look for trouble: every notation of a scalar, every style, and texts a little broken. */

import type { Dice } from '../../faults/random.ts';

const HEAD = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n';

const WORDS = `y n Y N yes No ON off true False TRUE null Null ~ 0644 0o17 0O7 0b101 -0b11 0b2 0b-1
 0B1 0x1F -0xff 0xG 08 09.5 1_000 1__0 0x_1F 1_ -_1 _1 1e3 1E+3 1.5e-3 1e 1e400 -1e400 .5 .5_0 ._5 +.5 -.5 5. 1.e2 0. -0
 -0.0 +1 00 007 1:30 -12:00 190:20:30 2001-12-14 2001-12-14T21:59:43Z 9007199254740993 -9007199254740993
 9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 18446744073709551615
 18446744073709551616 9007199254740993.0 4611686018427387904.0 1e20 1e21 123456.0 1234567.5 0.1 0.00001 16777217.0
 = a b-c a.b/c key:value a#b http://x/y 100m 1Gi é 日本 --`.split(/\s+/);
/** What is refused in most places. */
const HARSH = '.inf -.Inf +.INF .nan << #c - ? :x x: @a %b *no [ } \\ | > ! &'.split(' ');

/**
 * Two keys of different types that JSON writes alike (1 and "1") go to kubectl in the random order of a Go map: there are
 * none here.
 */
const KEYS =
  `y N yes No ON off true False TRUE 0644 1_000 0x1F -0b11 .5 1e21 123456.0 1234567.5 -1.5e-3 0.1 0.00001
 16777217.0 2001-12-14 = a.b/c 1:30 key:value 9223372036854775807 -0 1e400 x: http://x/y é --`.split(/\s+/);

const QUOTED = [
  `'it''s'`,
  `"\\u00e9 \\x41 \\n"`,
  `"a\\/b"`,
  `"yes"`,
  `'1'`,
  `""`,
  `''`,
  `"a: b # c"`,
  `"\\e\\0\\N\\_\\L\\P"`,
  `"tab\\there"`,
  `"two\n\n      lines"`,
  `'two\n      lines'`,
  `"a \\\n      b"`,
  `"\\U0001F600"`,
];
const TAGS = [
  '!!str',
  '!!int',
  '!!float',
  '!!bool',
  '!!null',
  '!!binary',
  '!!timestamp',
  '!',
  '!mine',
  '!!map',
  '!!seq',
  '!<tag:yaml.org,2002:str>',
];
const DAMAGE = [
  '\t',
  ' ',
  '\n',
  ':',
  '-',
  '#',
  '"',
  "'",
  '[',
  '}',
  ',',
  '&',
  '*',
  '!',
  '|',
  '?',
  '%',
  '\r',
  '\\',
  '0',
  '_',
];

export class Documents {
  readonly #dice: Dice;
  #anchors: string[] = [];

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /** A stream whose every document has the head of a Kubernetes object. */
  stream(): string {
    const count = this.#chance(0.15) ? 2 : 1;
    let text = Array.from({ length: count }, () => this.#document()).join(
      this.#pick(['---\n', '--- # next\n', '---\n---\n', '---\r\n']),
    );
    if (this.#chance(0.05)) text = `---\n${text}`;
    if (this.#chance(0.03)) text = `\ufeff${text}`;
    if (this.#chance(0.05)) text = text.replaceAll('\n', '\r\n');
    if (this.#chance(0.03)) text += '...\n: ignored: [\n';
    return this.#chance(0.2) ? this.#damaged(text) : text;
  }

  #document(): string {
    this.#anchors = [];
    const lines = Array.from({ length: 1 + this.#below(4) }, (_, index) =>
      this.#entry(`k${String(index)}`, 0, 3),
    );
    return HEAD + lines.join('');
  }

  #damaged(text: string): string {
    const at = HEAD.length + this.#below(Math.max(1, text.length - HEAD.length));
    return (
      text.slice(0, at) + (this.#chance(0.7) ? this.#pick(DAMAGE) : '') + text.slice(at + this.#below(3))
    );
  }

  #entry(name: string, indent: number, depth: number): string {
    const pad = ' '.repeat(indent);
    if (depth < 3 && this.#anchors.length > 0 && this.#chance(0.08))
      return `${pad}<<: ${this.#pick([`*${this.#pick(this.#anchors)}`, `[*${this.#pick(this.#anchors)}]`, '{m: 1, k0: 2}'])}\n`;
    const key = this.#chance(0.7) ? name : this.#chance(0.7) ? this.#pick(KEYS) : this.#quotedKey();
    const comment = this.#chance(0.1) ? `${pad}# ${this.#pick(WORDS)}\n` : this.#chance(0.05) ? '\n' : '';
    return `${comment}${pad}${key}:${this.#value(indent, depth)}`;
  }

  #quotedKey(): string {
    return this.#pick([
      `"${this.#pick(['a b', 'yes', '7', 'x: y'])}"`,
      `'a'`,
      '? a\n',
      '!!str 1',
      '&k kk',
      '&k kk',
    ]);
  }

  /** What follows the colon, with its line end. */
  #value(indent: number, depth: number): string {
    const pad = ' '.repeat(indent + 2);
    const choice = depth === 0 ? 0.45 * this.#dice.next() : this.#dice.next();
    if (choice < 0.35) return ` ${this.#scalar()}${this.#chance(0.1) ? ' # note' : ''}\n`;
    if (choice < 0.45) return this.#blockScalar(indent + 2);
    if (choice < 0.6) return ` ${this.#flow(2)}\n`;
    if (choice < 0.65 && this.#anchors.length > 0) return ` *${this.#pick(this.#anchors)}\n`;
    if (choice < 0.68) return '\n';
    const open = this.#opening();
    if (choice < 0.8) {
      const own = this.#chance(0.5) ? pad : ' '.repeat(indent);
      const items = Array.from(
        { length: 1 + this.#below(3) },
        () => `${own}-${this.#item(own.length, depth - 1)}`,
      );
      return `${open}\n${items.join('')}`;
    }
    const entries = Array.from({ length: 1 + this.#below(3) }, (_, at) =>
      this.#entry(`k${String(at)}`, indent + 2, depth - 1),
    );
    return `${open}\n${entries.join('')}`;
  }

  #item(indent: number, depth: number): string {
    if (depth <= 0 || this.#chance(0.5)) return ` ${this.#scalar()}\n`;
    if (this.#chance(0.3)) return ` - ${this.#scalar()}\n${' '.repeat(indent + 2)}- ${this.#scalar()}\n`;
    return ` ${this.#entry('i0', indent + 2, depth).trimStart()}${this.#entry('i1', indent + 2, depth)}`;
  }

  #opening(): string {
    if (this.#chance(0.2)) {
      const name = `a${String(this.#below(3))}`;
      this.#anchors.push(name);
      return ` &${name}`;
    }
    return this.#chance(0.05) ? ` ${this.#pick(TAGS)}` : '';
  }

  #scalar(): string {
    if (this.#chance(0.02))
      return this.#pick([...HARSH, '"\\q"', '"\\ud800"', '"a\\/b"', '!!int x', '!!binary %']);
    const tag = this.#chance(0.04) ? `${this.#pick(TAGS)} ` : '';
    const text = this.#chance(0.75)
      ? this.#pick(WORDS)
      : this.#chance(0.6)
        ? this.#pick(QUOTED)
        : `${this.#pick(WORDS)} ${this.#pick(WORDS)}`;
    return tag + text;
  }

  #blockScalar(indent: number): string {
    const pad = ' '.repeat(indent);
    const header = this.#pick(['|', '>', '|-', '>-', '|+', '>+', '|2', '>1-', '|2+']);
    const lines = Array.from({ length: 1 + this.#below(4) }, () =>
      this.#pick([
        '',
        pad + 'text',
        `${pad}  more`,
        `${pad}- item`,
        `${pad}# no comment`,
        `${pad}a: b`,
        `${pad}\ttab`,
        `${pad}end `,
      ]),
    );
    return ` ${header}\n${lines.join('\n')}\n`;
  }

  #flow(depth: number): string {
    const item = (): string =>
      depth > 0 && this.#chance(0.2)
        ? this.#flow(depth - 1)
        : this.#chance(0.8)
          ? this.#pick(WORDS)
          : this.#pick(QUOTED);
    const space = this.#pick(['', ' ', '\n    ']);
    const count = this.#below(4);
    const trailing = this.#chance(0.1) ? ',' : '';
    if (this.#chance(0.5))
      return `[${Array.from({ length: count }, () => (this.#chance(0.1) ? `${this.#pick(KEYS)}: ${item()}` : item())).join(`,${space}`)}${trailing}]`;
    const pairs = Array.from({ length: count }, (_, at) => {
      const key = this.#chance(0.6) ? `k${String(at)}` : this.#chance(0.9) ? this.#pick(KEYS) : '"q"';
      return this.#chance(0.1) ? key : `${key}${this.#pick([': ', ': ', ':', ' : '])}${item()}`;
    });
    return `{${pairs.join(`,${space}`)}${trailing}}`;
  }

  #below(limit: number): number {
    return this.#dice.integer(0, limit - 1);
  }

  #chance(probability: number): boolean {
    return this.#dice.chance(probability);
  }

  #pick<T>(from: readonly T[]): T {
    return this.#dice.pick(from);
  }
}
