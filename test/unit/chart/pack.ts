/** The chart's Pod security pack as data, and a judge that evaluates it with the operator's own compiler and engine. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { load } from 'js-yaml';
import { compile } from '../../../src/policy/compiler.ts';
import { createEngine } from '../../../src/policy/engine/engine.ts';
import { violationsOf } from '../../../src/policy/verdict.ts';
import { toolPath } from '../../cluster/tools.ts';

export const PACK = join('charts', 'cogniforge', 'files', 'policies', 'pod-security');

export interface Judge {
  rules: string[];
  /** What each rule that objects has to say, by rule. `old` makes it an update. */
  judge(object: Record<string, unknown>, old?: Record<string, unknown>): Promise<Map<string, string[]>>;
  close(): Promise<void>;
}

export async function podSecurityJudge(): Promise<Judge> {
  const opaBin = await toolPath('opa');
  const libs = globSync('*.rego', { cwd: PACK }).map((file) => readFileSync(join(PACK, file), 'utf8'));
  const engine = createEngine({ workers: 1 });
  const rules = globSync('*.yaml', { cwd: PACK }).sort();
  const policies = await Promise.all(
    rules.map(async (file) => {
      const { rego } = load(readFileSync(join(PACK, file), 'utf8')) as { rego: string };
      const name = basename(file, '.yaml');
      const policy = await compile({ kind: 'rego', rego, libs, regoVersion: 'V1' }, { opaBin });
      engine.load(name, policy.wasm, policy.entrypoint);
      return { name, entrypoint: policy.entrypoint };
    }),
  );
  return {
    rules: policies.map(({ name }) => name),
    close: () => engine.close(),
    async judge(object, old) {
      const found = new Map<string, string[]>();
      const review = {
        operation: old === undefined ? 'CREATE' : 'UPDATE',
        object,
        ...(old === undefined ? {} : { oldObject: old }),
      };
      const input = JSON.stringify({ review, parameters: {} });
      for (const { name, entrypoint } of policies) {
        const raw = await engine.evaluate(name, { input, deadlineMs: 10_000 });
        const violations = violationsOf(raw, entrypoint, { name });
        if (violations.length > 0)
          found.set(
            name,
            violations.map(({ message }) => message),
          );
      }
      return found;
    },
  };
}
