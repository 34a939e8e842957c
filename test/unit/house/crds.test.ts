import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCrds } from '../../../scripts/generate/crds.ts';
import type { Schema } from '../../../src/runtime/schema.ts';
import { lintCrd, type Exception } from './crd-lint.ts';
import { soundCrd } from './sound-crd.ts';

const FOLDER = join(import.meta.dirname, '../../../crds');

/** Empty is best. */
const EXCEPTIONS: readonly Exception[] = [];

const crds = readCrds(FOLDER);

it('there are CRDs', () => {
  expect(crds.length).toBeGreaterThan(0);
});

it.each(crds)('crds/$file keeps the conventions', ({ file, crd }) => {
  expect(lintCrd(file, crd, EXCEPTIONS)).toEqual([]);
});

it.each(crds)('crds/$file has its kind’s name', ({ file, crd }) => {
  expect(file).toBe(`${crd.spec.names.plural}.yaml`);
  expect(readFileSync(join(FOLDER, file), 'utf8')).toContain(`name: ${crd.metadata.name}`);
});

it('every exception is about a kind that exists', () => {
  const kinds = crds.map(({ crd }) => crd.spec.names.kind);
  expect(EXCEPTIONS.filter(({ kind }) => !kinds.includes(kind))).toEqual([]);
});

describe('the lint', () => {
  it('finds nothing amiss in a sound CRD', () => {
    expect(lintCrd('f', soundCrd())).toEqual([]);
  });

  /** A field of spec as it should not be. */
  const FIELDS: readonly (readonly [path: string, schema: Schema, what: string])[] = [
    ['x', { type: 'string', maxLength: 1 }, 'spec.x: no description'],
    ['x', { description: ' ', type: 'string', maxLength: 1 }, 'spec.x: no description'],
    ['x_y', { description: 'd', type: 'boolean' }, 'spec.x_y: not in camelCase'],
    ['X', { description: 'd', type: 'boolean' }, 'spec.X: not in camelCase'],
    ['x', { description: 'd', type: 'string' }, 'spec.x: no bound; set maxLength'],
    ['x', { description: 'd', type: 'string', format: 'email' }, 'spec.x: no bound; set maxLength'],
    ['x', { description: 'd', type: 'integer' }, 'spec.x: no bound; set maximum'],
    ['x', { description: 'd', type: 'number', minimum: 0 }, 'spec.x: no bound; set maximum'],
    ['x', { description: 'd', type: 'object' }, 'spec.x: no bound; name its properties'],
    ['x', { description: 'd' }, 'spec.x: no bound; set a type'],
    [
      'x',
      { description: 'd', 'x-kubernetes-int-or-string': true, maximum: 1 },
      'spec.x: no bound; set maxLength',
    ],
    [
      'x',
      { description: 'd', type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      'spec.x: no bound; set maxProperties',
    ],
    [
      'x',
      { description: 'd', type: 'object', additionalProperties: { description: 'd', type: 'boolean' } },
      'spec.x: no bound; set maxProperties',
    ],
    [
      'x',
      { description: 'd', type: 'object', maxProperties: 1, additionalProperties: { type: 'boolean' } },
      'spec.x.*: no description',
    ],
    [
      'x',
      { description: 'd', type: 'object', properties: { y: { type: 'boolean' } } },
      'spec.x.y: no description',
    ],
    ['x', { description: 'd', type: 'string', enum: ['Ok', 'not-ok'] }, 'spec.x: not-ok is not in CamelCase'],
    ['x', { description: 'd', type: 'string', enum: ['PURGE_ALL'] }, 'spec.x: PURGE_ALL is not in CamelCase'],
    ['x', list({ 'x-kubernetes-list-type': undefined }), 'spec.x: no x-kubernetes-list-type'],
    ['x', list({ maxItems: undefined }), 'spec.x: no bound; set maxItems'],
    ['x', list({ items: { type: 'boolean' } }), 'spec.x[]: no description'],
    ['x', list({ items: named(['name']) }), 'spec.x: its items have the key name'],
    ['x', list({ 'x-kubernetes-list-type': 'map' }), 'spec.x: a map without keys'],
    [
      'x',
      list({ items: named([]), 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
      'spec.x: the key name may be missing',
    ],
    [
      'x',
      { description: 'd', type: 'boolean', 'x-kubernetes-validations': [{ rule: 'self' }] },
      'spec.x: the rule self has no message',
    ],
  ];

  it.each(FIELDS)('of a field %s: %j', (name, schema, what) => {
    const crd = soundCrd((root) => {
      root.spec[name] = schema;
    });
    expect(lintCrd('f', crd)).toEqual([expect.stringContaining(`f ${what}`)]);
  });

  const ALLOWED: readonly Schema[] = [
    { description: 'd', type: 'string', format: 'date-time' },
    { description: 'd', type: 'string', enum: ['CREATE', '*', 'Enforce'] },
    { description: 'd', type: 'integer', format: 'int64' },
    list({ items: named([]) }),
    list({ items: named(['name']), 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
    { description: 'd', type: 'boolean', 'x-kubernetes-validations': [{ rule: 'self', message: 'm' }] },
  ];

  it.each(ALLOWED)('lets pass %j', (schema) => {
    const crd = soundCrd((root) => {
      root.spec['x'] = schema;
    });
    expect(lintCrd('f', crd)).toEqual([]);
  });

  type Spoil = Parameters<typeof soundCrd>[0];
  const CRDS: readonly (readonly [what: string, spoil: Spoil])[] = [
    ['spec.group: example.com/v1alpha1', ({ crd }) => (crd.spec.group = 'example.com')],
    ['spec.group: cogniforge.dev/v1', ({ version }) => (version.name = 'v1')],
    ['spec.names.categories: cogniforge is missing', ({ crd }) => (crd.spec.names.categories = ['all'])],
    ['spec.names.shortNames: there is none', ({ crd }) => (crd.spec.names.shortNames = [])],
    ['spec.names.singular: things', ({ crd }) => (crd.spec.names.singular = 'things')],
    ['spec.versions[].subresources: there is no status', ({ version }) => (version.subresources = {})],
    ['no column Ready', ({ columns }) => columns.splice(0, 1)],
    ['no column Reason', ({ columns }) => columns.splice(1, 1)],
    ['no column of a number', ({ columns }) => columns.splice(2, 1)],
    ['no column Age', ({ columns }) => columns.splice(3, 1)],
    ['Age is not the last column', ({ columns }) => columns.reverse()],
    [
      'Size shows .spec.site, which is no field',
      ({ columns }) => columns.splice(2, 1, { name: 'Size', type: 'integer', jsonPath: '.spec.site' }),
    ],
    ['spec: it may be left out', ({ schema }) => (schema.required = [])],
    ['spec.suspend: it is missing', ({ spec }) => delete spec['suspend']],
    [
      'spec.suspend: it is missing, or not false by default',
      ({ spec }) => (spec['suspend'] = { description: 'd', type: 'boolean' }),
    ],
    ['status: its default is not', ({ status }) => delete status.default],
    [
      'status.observedGeneration: it is no integer from -1',
      ({ statusFields }) =>
        (statusFields['observedGeneration'] = { description: 'd', type: 'integer', format: 'int64' }),
    ],
    ['status.conditions: no map by type', ({ statusFields }) => delete statusFields['conditions']],
    [
      '(root): the rule self has no message',
      ({ schema }) => (schema['x-kubernetes-validations'] = [{ rule: 'self', message: '' }]),
    ],
  ];

  it.each(CRDS)('of a CRD: %s', (what, spoil) => {
    const problems = lintCrd('f', soundCrd(spoil));
    expect(problems).toContainEqual(expect.stringContaining(what));
  });

  it('an exception excuses its own path and rule, and must be needed', () => {
    const crd = soundCrd(({ spec }) => {
      spec['x'] = { description: 'd', type: 'string' };
      spec['y'] = { type: 'boolean' };
    });
    const about = { kind: 'Thing', rule: 'bounded', why: 'a test' };
    expect(lintCrd('f', crd, [{ ...about, path: 'spec.x' }])).toEqual([
      expect.stringContaining('f spec.y: no description'),
    ]);
    expect(lintCrd('f', soundCrd(), [{ ...about, path: 'spec.x' }])).toEqual([
      'f spec.x: the exception of bounded excuses nothing; delete it',
    ]);
    expect(lintCrd('f', soundCrd(), [{ ...about, kind: 'Other', path: 'spec.x' }])).toEqual([]);
  });
});

function list(over: { [Name in keyof Schema]?: Schema[Name] | undefined }): Schema {
  const sound: Schema = {
    description: 'd',
    type: 'array',
    maxItems: 4,
    'x-kubernetes-list-type': 'atomic',
    items: { description: 'd', type: 'boolean' },
  };
  return JSON.parse(JSON.stringify({ ...sound, ...over })) as Schema;
}

function named(required: string[]): Schema {
  const name: Schema = { description: 'd', type: 'string', maxLength: 1 };
  return { description: 'd', type: 'object', required, properties: { name } };
}
