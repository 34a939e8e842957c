/** What a page says of a field, by its schema. */
import { describe, expect, it } from '@jest/globals';
import { cell, fieldTable, ruleList } from '../../../scripts/generate/fields.ts';
import type { Schema } from '../../../src/runtime/schema.ts';

const DESCRIPTION = 'A field.';

const TYPES: readonly (readonly [schema: Schema, words: string])[] = [
  [{ type: 'string' }, 'string'],
  [{ type: 'string', minLength: 1, maxLength: 9 }, 'string (1 to 9 characters)'],
  [{ type: 'string', minLength: 1 }, 'string (at least 1 characters)'],
  [{ type: 'string', format: 'date-time', maxLength: 64 }, 'string (date-time, at most 64 characters)'],
  [{ type: 'string', pattern: '^(a|b)$' }, 'string matching `^(a\\|b)$`'],
  [{ type: 'string', enum: ['A', '*'] }, '`A`, `*`'],
  [{ type: 'integer', format: 'int32', minimum: 0, maximum: 7 }, 'integer (int32, 0 to 7)'],
  [{ type: 'number', minimum: 0, exclusiveMinimum: true }, 'number (at least 0, the lower bound excluded)'],
  [{ type: 'number', maximum: 1, exclusiveMaximum: true }, 'number (at most 1, the upper bound excluded)'],
  [{ type: 'integer', multipleOf: 5 }, 'integer (a multiple of 5)'],
  [{ type: 'string', nullable: true }, 'string or null'],
  [{ 'x-kubernetes-int-or-string': true }, 'integer or string'],
  [
    { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, maxProperties: 8 },
    'object with any fields (at most 8 entries)',
  ],
  [
    { type: 'array', maxItems: 4, items: { type: 'string', maxLength: 2 } },
    'list (at most 4) of string (at most 2 characters)',
  ],
  [
    { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string', enum: ['A'] } },
    'list (no two alike) of `A`',
  ],
  [
    {
      type: 'array',
      minItems: 1,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: { type: 'object' },
    },
    'list (at least 1, one for each `type`) of object',
  ],
  [
    { type: 'object', maxProperties: 3, additionalProperties: { type: 'integer', minimum: 1 } },
    'map (at most 3 entries) of integer (at least 1)',
  ],
];

const rowsOf = (schema: Schema): string[] => fieldTable('spec', schema).split('\n').slice(2);

it.each(TYPES)('%j is %s', (field, words) => {
  expect(rowsOf({ properties: { a: { description: DESCRIPTION, ...field } } })).toEqual([
    `| \`spec.a\` | ${words} |  | ${DESCRIPTION} |`,
  ]);
});

it('every field has a row with its whole path, in the order of the CRD', () => {
  const leaf: Schema = { type: 'string', description: DESCRIPTION };
  const schema: Schema = {
    required: ['b'],
    properties: {
      b: { type: 'array', items: { type: 'object', required: ['d'], properties: { d: leaf, c: leaf } } },
      a: { type: 'object', additionalProperties: { type: 'object', properties: { e: leaf } } },
      f: { type: 'array', items: { type: 'array', items: { type: 'object', properties: { g: leaf } } } },
    },
  };
  expect(rowsOf(schema).map((row) => row.split(' | ')[0])).toEqual([
    '| `spec.b` **required**',
    '| `spec.b[].d` **required**',
    '| `spec.b[].c`',
    '| `spec.a`',
    '| `spec.a.*.e`',
    '| `spec.f`',
    '| `spec.f[][].g`',
  ]);
});

it('a default stands as it would be written in JSON', () => {
  const field: Schema = { type: 'string', description: DESCRIPTION, default: 'a|b' };
  expect(rowsOf({ properties: { a: field } })).toEqual([
    `| \`spec.a\` | string | \`"a\\|b"\` | ${DESCRIPTION} |`,
  ]);
  expect(rowsOf({ properties: { a: { ...field, type: 'boolean', default: false } } })[0]).toContain(
    '| `false` |',
  );
});

describe('rules', () => {
  const rules = (...list: NonNullable<Schema['x-kubernetes-validations']>): Schema => ({
    'x-kubernetes-validations': list,
  });

  it.each([
    [rules({ rule: 'self.a', message: 'a must be' }), '- the object: a must be'],
    [rules({ rule: 'self.a == "b|c"' }), '- the object: `self.a == "b\\|c"`'],
    [rules({ rule: 'x', message: 'm', fieldPath: '.spec.a' }), '- `spec.a`: m'],
    [{ properties: { spec: rules({ rule: 'x', message: 'm', fieldPath: '.a' }) } }, '- `spec.a`: m'],
    [{ properties: { spec: { items: rules({ rule: 'x', message: 'm' }) } } }, '- `spec[]`: m'],
    [{ properties: { spec: { additionalProperties: rules({ rule: 'x', message: 'm' }) } } }, '- `spec.*`: m'],
    [{ properties: { spec: { type: 'object' } } }, ''],
  ] satisfies [Schema, string][])('%j: %s', (schema, text) => {
    expect(ruleList(schema)).toBe(text);
  });
});

it.each([
  ['a | b', 'a \\| b'],
  ['a *b* <c>', 'a \\*b\\* \\<c>'],
  ['write `a*b*` or *', 'write `a*b*` or \\*'],
  ['two\n  lines ', 'two lines'],
])('%j is shown as %j', (text, shown) => {
  expect(cell(text)).toBe(shown);
});
