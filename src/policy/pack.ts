/** `cogniforge policy apply`: makes the PolicyRules of a pack in the cluster equal to those of a file. */
import type { Client } from '../runtime/client.ts';
import { sleep, type Clock } from '../runtime/clock.ts';
import { isApiError } from '../runtime/errors.ts';
import { installation } from '../runtime/installation.ts';
import { type as POLICY_RULE } from './policyrule/crd.gen.ts';
import type { PolicyRule } from './policyrule/types.gen.ts';

const LABEL = 'cogniforge.dev/pack';
const FIELD_MANAGER = 'cogniforge-pack';
/** How long a CRD may take from being created to being served. */
const PATIENCE_MS = 60_000;

/**
 * Applies the rules and removes those that carry the pack's label and are not among them. They belong to the
 * installation, and go with it.
 */
export async function applyPack(
  client: Client,
  pack: string,
  rules: readonly PolicyRule[],
  clock: Clock,
  print: (line: string) => void,
): Promise<void> {
  await served(client, clock);
  const owner = await installation(client);
  for (const rule of rules) {
    const { name, labels, annotations = {} } = rule.metadata;
    const metadata = {
      name,
      labels: { ...labels, [LABEL]: pack },
      annotations,
      ...(owner === undefined ? {} : { ownerReferences: [owner] }),
    };
    const { apiVersion, kind, spec } = rule;
    await client.apply(
      POLICY_RULE,
      { apiVersion, kind, metadata, spec },
      { fieldManager: FIELD_MANAGER, force: true },
    );
    print(`applied ${name}`);
  }
  const wanted = new Set(rules.map(({ metadata }) => metadata.name));
  const { items } = await client.list(POLICY_RULE, { labelSelector: `${LABEL}=${pack}` });
  for (const { metadata } of items.filter(({ metadata: { name } }) => !wanted.has(name))) {
    await client.delete(POLICY_RULE, metadata);
    print(`removed ${metadata.name}`);
  }
}

async function served(client: Client, clock: Clock): Promise<void> {
  for (const deadline = clock.monotonic() + PATIENCE_MS; ;) {
    try {
      await client.list(POLICY_RULE, { limit: 1 });
      return;
    } catch (error) {
      if (!isApiError(error, 'notFound', 'transient') || clock.monotonic() > deadline) throw error;
      await sleep(clock, 1_000);
    }
  }
}
