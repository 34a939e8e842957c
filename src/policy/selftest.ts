/** `cogniforge policy selftest`: the whole way of a refusal, with a rule and an object that are about nothing else. */
import { randomUUID } from 'node:crypto';
import type { Client } from '../runtime/client.ts';
import { sleep, type Clock } from '../runtime/clock.ts';
import { isApiError } from '../runtime/errors.ts';
import { type as POLICY_RULE } from './policyrule/crd.gen.ts';
import type { PolicyRule } from './policyrule/types.gen.ts';
import { CONFIG_MAP } from '../runtime/core-types.ts';

const NAME = 'cogniforge-selftest';
const PATIENCE_MS = 60_000;
/**
 * Stores a rule, waits until every replica serves it, and has the API server refuse a ConfigMap on account of it, in a
 * dry run. Resolves with the refusal; throws what did not happen. The rule is removed in any case.
 */
export async function selftest(client: Client, namespace: string, clock: Clock): Promise<string> {
  const nonce = randomUUID();
  const deadline = clock.monotonic() + PATIENCE_MS;
  const within = async (what: string, attempt: () => Promise<string | undefined>): Promise<string> => {
    for (;;) {
      const found = await attempt();
      if (found !== undefined) return found;
      if (clock.monotonic() > deadline)
        throw new Error(`not within ${String(PATIENCE_MS / 1000)} s: ${what}`);
      await sleep(clock, 500);
    }
  };
  await remove(client);
  await client.create(POLICY_RULE, ruleOf(namespace, nonce));
  try {
    await within('the rule is in force', () => inForce(client));
    return await within('the API server refuses what the rule forbids', () =>
      refusal(client, namespace, nonce),
    );
  } finally {
    await remove(client);
  }
}

function ruleOf(namespace: string, nonce: string) {
  return {
    apiVersion: `${POLICY_RULE.group}/${POLICY_RULE.version}`,
    kind: POLICY_RULE.kind,
    metadata: { name: NAME },
    spec: {
      description: 'Made and removed by cogniforge policy selftest.',
      severity: 'Info',
      match: {
        kinds: [{ apiGroups: [''], kinds: ['ConfigMap'] }],
        namespaces: [namespace],
        name: NAME,
      },
      rego: `package selftest\n\nviolation contains {"msg": "selftest ${nonce}"}`,
    },
  };
}

async function inForce(client: Client): Promise<string | undefined> {
  const { metadata, status } = await client.get<PolicyRule>(POLICY_RULE, { name: NAME });
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const current = status?.observedGeneration === metadata.generation;
  return current && ready?.status === 'True' ? 'Ready' : undefined;
}

/** Undefined where the ConfigMap is accepted: the API server hears of a new webhook by a watch. */
async function refusal(client: Client, namespace: string, nonce: string): Promise<string | undefined> {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: NAME, namespace } };
  try {
    await client.create(CONFIG_MAP, object, { dryRun: true });
    return undefined;
  } catch (error) {
    if (isApiError(error) && error.message.includes(nonce)) return error.message;
    throw error;
  }
}

async function remove(client: Client): Promise<void> {
  await client.delete(POLICY_RULE, { name: NAME }).catch((error: unknown) => {
    if (!isApiError(error, 'notFound')) throw error;
  });
}
