/** The meaning of a regoQuery, by the real opa and the real Wasm, against a plain reading of the same words. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compile } from '../../../src/policy/compiler.ts';
import { createEngine, type Engine } from '../../../src/policy/engine/engine.ts';
import { violationsOf } from '../../../src/policy/verdict.ts';
import { toolPath } from '../../cluster/tools.ts';

interface Container {
  livenessProbe?: object;
  readinessProbe?: object;
  ports?: { name?: string }[];
}

const QUERIES: readonly [string, (containers: Container[]) => boolean][] = [
  [
    'not input.spec.template.spec.containers[_].livenessProbe',
    (all) => all.some((one) => one.livenessProbe === undefined),
  ],
  [
    'not input.spec.template.spec.containers[_].readinessProbe',
    (all) => all.some((one) => one.readinessProbe === undefined),
  ],
  [
    'not input.spec.template.spec.containers[_].ports[_].name',
    (all) => all.some(({ ports = [] }) => ports.some((port) => port.name === undefined)),
  ],
  [
    'input.spec.template.spec.containers[_].ports[_].name == "admin"',
    (all) => all.some(({ ports = [] }) => ports.some((port) => port.name === 'admin')),
  ],
  ['count(input.spec.template.spec.containers) > 2', (all) => all.length > 2],
];

const container: fc.Arbitrary<Container> = fc.record(
  {
    livenessProbe: fc.constant({ tcpSocket: { port: 1 } }),
    readinessProbe: fc.constant({ tcpSocket: { port: 1 } }),
    ports: fc.array(fc.record({ name: fc.constantFrom('admin', 'web') }, { requiredKeys: [] }), {
      maxLength: 3,
    }),
  },
  { requiredKeys: [] },
);

let engine: Engine;
let opaBin: string;

beforeAll(async () => {
  opaBin = await toolPath('opa');
  engine = createEngine({ workers: 1 });
});

afterAll(() => engine.close());

describe('regoQuery', () => {
  it.each(QUERIES)('%s', async (query, meaning) => {
    const policy = await compile({ kind: 'query', query, regoVersion: 'V1' }, { opaBin });
    engine.load(query, policy.wasm, policy.entrypoint);
    await fc.assert(
      fc.asyncProperty(fc.array(container, { maxLength: 4 }), async (containers) => {
        const input = JSON.stringify({ spec: { template: { spec: { containers } } } });
        const raw = await engine.evaluate(query, { input, deadlineMs: 5_000 });
        expect(violationsOf(raw, policy.entrypoint, { name: 'r' }).length > 0).toBe(meaning(containers));
      }),
      { numRuns: 200 },
    );
  });

  it('that is no query is refused with its place', async () => {
    await expect(
      compile({ kind: 'query', query: 'input.x ==', regoVersion: 'V1' }, { opaBin }),
    ).rejects.toThrow(/regoQuery/);
  });

  it('ends at its deadline, and the engine goes on', async () => {
    // Allocates until its memory is full after tens of milliseconds: the deadline comes first.
    const rego = [
      'package slow',
      'r := numbers.range(1, 400)',
      'violation contains {"msg": "x"} if {',
      '  some i in r',
      '  some j in r',
      '  some k in r',
      '  k < 0',
      '}',
    ].join('\n');
    const policy = await compile({ kind: 'rego', rego, libs: [], regoVersion: 'V1' }, { opaBin });
    engine.load('slow', policy.wasm, policy.entrypoint);
    await expect(engine.evaluate('slow', { input: '{}', deadlineMs: 10 })).rejects.toMatchObject({
      code: 'deadline',
    });
    await expect(engine.evaluate(QUERIES[4]?.[0] ?? '', { input: '{}', deadlineMs: 5_000 })).resolves.toEqual(
      [],
    );
  });
});
