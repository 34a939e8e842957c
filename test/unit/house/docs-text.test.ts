/** How commands are found in a document. */
import { expect, it } from '@jest/globals';
import { fences, links, spans } from './markdown.ts';
import { commandsOf } from './shell.ts';

it.each([
  ['a b', [['a', 'b']]],
  ['a && b | c; d || e &', [['a'], ['b'], ['c'], ['d'], ['e']]],
  ['a \\\n  b\nc', [['a', 'b'], ['c']]],
  ['a # b\n# c d\ne#f', [['a'], ['e#f']]],
  [`a 'b c' "d \\"e" f\\ g`, [['a', 'b c', 'd "e', 'f g']]],
  [`a --x='{"b": [1]}'`, [['a', '--x={"b": [1]}']]],
  ['A=1 B="2 3" sudo a', [['a']]],
  ['a > b 2>&1 < c >> d e', [['a', 'e']]],
  ['a $(b "c" | d $(e)) f', [['a', '$(b "c" | d $(e))', 'f'], ['b', 'c'], ['d', '$(e)'], ['e']]],
  ["a -f - <<'EOF'\nb c\nEOF\nd", [['a', '-f', '-'], ['d']]],
  ['for x in a b; do c "$x"; done', [['for', 'x', 'in', 'a', 'b'], ['c', '$x'], ['done']]],
] as const)('%j', (text, words) => {
  expect(commandsOf(text).map((command) => command.words)).toEqual(words);
});

it('a command has the line that it begins in', () => {
  expect(commandsOf('a \\\n b\n\nc &&\n d', 10).map(({ line }) => line)).toEqual([10, 13, 14]);
});

const PAGE = [
  'Say `kubectl get',
  'prule` or [this](a.md#b), [that](https://x/y) and [here](#c).',
  '',
  '```sh',
  'npm `test`',
  '```',
  '- in a list:',
  '  ```yaml',
  '  a:',
  '    b: 1',
  '  ```',
  '````',
  '```',
  '````',
].join('\n');

it('blocks are found with their language and line', () => {
  expect(fences(PAGE)).toEqual([
    { language: 'sh', line: 5, text: 'npm `test`' },
    { language: 'yaml', line: 9, text: 'a:\n  b: 1' },
    { language: '', line: 13, text: '```' },
  ]);
  expect(() => fences('```sh\nx')).toThrow(/block at line 1 is never closed/);
});

it('spans are found outside of blocks, links to other files anywhere', () => {
  expect(spans(PAGE)).toEqual([{ text: 'kubectl get prule', line: 1 }]);
  expect(links(PAGE)).toEqual([{ target: 'a.md', line: 2 }]);
});
