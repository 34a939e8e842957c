/** The policy commands that need a cluster: the chart's Pods run them with the rights of their own service accounts. */
import { parseArgs } from 'node:util';
import { systemClock as clock } from '../runtime/clock.ts';
import { connect } from '../runtime/connect.ts';
import { documents } from './documents.ts';
import { applyPack } from './pack.ts';
import type { PolicyRule } from './policyrule/types.gen.ts';
import { selftest } from './selftest.ts';

const USAGE = `usage: cogniforge policy apply --pack NAME [--file FILE] [--kubeconfig FILE]
       cogniforge policy selftest [--namespace NAME] [--kubeconfig FILE]`;

/** 0: done; 2: bad usage. What did not work is thrown. */
export async function clusterCommand(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  print: (line: string) => void,
): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      pack: { type: 'string' },
      file: { type: 'string' },
      namespace: { type: 'string', default: 'default' },
      kubeconfig: { type: 'string' },
      context: { type: 'string' },
    },
  });
  const { kubeconfig = env['KUBECONFIG'], context, pack, file, namespace } = values;
  const [command] = positionals;
  if (positionals.length !== 1 || (command === 'apply' && pack === undefined)) {
    print(USAGE);
    return 2;
  }
  const { client } = await connect({ kubeconfig, context }, env, clock, () => undefined);
  if (command === 'apply' && pack !== undefined) {
    const rules = file === undefined ? [] : documents(file);
    const stranger = rules.find(({ kind }) => kind !== 'PolicyRule');
    if (stranger !== undefined) throw new Error(`${String(file)} holds a ${String(stranger['kind'])}`);
    await applyPack(client, pack, rules as unknown as PolicyRule[], clock, print);
  } else print(`refused, as it should be: ${await selftest(client, namespace, clock)}`);
  return 0;
}
