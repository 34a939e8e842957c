/**
 * Whether the API server reaches us: it is asked to store, in a dry run, a ConfigMap that nobody but our webhook
 * refuses. The refusal carries a nonce of this very probe, so that it can be nobody else's and nothing older.
 */
import { randomUUID } from 'node:crypto';
import type { Client } from '../client.ts';
import { isApiError } from '../errors.ts';
import type { AdmissionRequest, Operation, Verdict } from './review.ts';
import { CONFIG_MAP } from '../core-types.ts';

export const PROBE_PATH = '/probe';
export const PROBE_NAME = 'cogniforge-probe';

const NONCE = 'cogniforge.dev/probe';

/** Only dry runs of one name: no other ConfigMap is ever sent to us on account of the probe. */
export const PROBE_RULE = {
  apiGroups: [''],
  apiVersions: ['v1'],
  resources: ['configmaps'],
  operations: ['CREATE'] as Operation[],
  scope: 'Namespaced' as const,
};

export const PROBE_CONDITION = {
  name: 'the-probe',
  expression: `request.dryRun == true && object.metadata.name == '${PROBE_NAME}'`,
};

/** Resolves undefined when the answer came from one of us, else with what came. Throws what is no answer at all. */
export async function probeWebhook(
  client: Client,
  namespace: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const nonce = randomUUID();
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: PROBE_NAME, namespace, annotations: { [NONCE]: nonce } },
  };
  try {
    await client.create(CONFIG_MAP, object, { dryRun: true, signal });
    return 'nobody refused the probe';
  } catch (error) {
    if (!isApiError(error)) throw error;
    return error.message.includes(nonce) ? undefined : error.message;
  }
}

export function answerProbe({ object }: AdmissionRequest): Verdict {
  const nonce = object?.metadata.annotations?.[NONCE] ?? '(no nonce)';
  return { allowed: false, code: 403, reason: 'Probe', message: `probe ${nonce}` };
}
