/** Policy as one piece: what main puts together and what it gives to the runtime. */
import type { Cache } from '../runtime/cache/cache.ts';
import type { Client } from '../runtime/client.ts';
import { sleep, type Clock } from '../runtime/clock.ts';
import { isApiError } from '../runtime/errors.ts';
import type { AnyKind } from '../runtime/kind.ts';
import type { Log } from '../runtime/log.ts';
import type { Presence } from '../runtime/presence.ts';
import type { KubernetesObject, ResourceType } from '../runtime/resource.ts';
import type { Gate, Validator } from '../runtime/webhook/gate.ts';
import type { Registration } from '../runtime/webhook/registration.ts';
import { randomUUID } from 'node:crypto';
import { compile as compileWith, type CompiledPolicy, type PolicySource } from './compiler.ts';
import { createEngine } from './engine/engine.ts';
import { policyGate } from './gate.ts';
import { Library } from './library.ts';
import { TOPIC } from './policyrule/gather.ts';
import { POLICY_RULE, policyRuleKind, policyRuleValidator, PROBE } from './policyrule/kind.ts';
import type { PolicyRule } from './policyrule/types.gen.ts';

const NAMESPACE: ResourceType = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
};

const REPORT_MS = 10_000;

export interface PolicyOptions {
  cache: Cache;
  presence: Presence;
  clock: Clock;
  log: Log;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

export interface PolicyService {
  gate: Gate;
  validator: Validator;
  kind: (registration: Registration, namespace: string) => AnyKind;
  /** told when what the API server should send us may have changed */
  onChange: (listener: () => void) => void;
  /** the rules that are still being looked at */
  pending: () => string[];
  /** Reports what is served and counted until the signal aborts. */
  report: () => Promise<void>;
  close: () => Promise<void>;
}

export function createPolicy({ cache, presence, clock, log, env, signal }: PolicyOptions): PolicyService {
  const opaBin = env['OPA_BIN'];
  const compile = (source: PolicySource, aborted: AbortSignal): Promise<CompiledPolicy> =>
    compileWith(source, { signal: aborted, opaBin });
  const engine = createEngine({ clock });
  const library = new Library({
    compile,
    engine: {
      load: (id, { wasm, entrypoint }) => {
        engine.load(id, wasm, entrypoint);
      },
      unload: (id) => {
        engine.unload(id);
      },
    },
    log,
    signal,
  });
  cache.informer<PolicyRule>(POLICY_RULE).listen((change) => {
    library.follow(change);
  });
  const namespaces = cache.informer<KubernetesObject>(NAMESPACE, { metadataOnly: true });
  const say = (urgent: boolean): void => {
    const report = library.served().map(({ name, generation }) => {
      const { evaluations = 0, denials = 0, warnings = 0, errors = 0 } = library.state(name)?.counts ?? {};
      const numbers = [generation, evaluations, denials, warnings, errors];
      return [name, numbers] as const;
    });
    presence.say(TOPIC, Object.fromEntries(report), urgent);
  };
  library.onChange(() => {
    say(true);
  });
  return {
    gate: policyGate({
      library,
      evaluate: (id, input, deadlineMs) => engine.evaluate(id, { input, deadlineMs }),
      namespaceLabels: (name) => {
        const namespace = namespaces.get(name);
        return namespace === undefined ? undefined : (namespace.metadata.labels ?? {});
      },
      log,
    }) as Gate,
    validator: policyRuleValidator(compile) as Validator,
    kind: (registration, namespace) => policyRuleKind({ library, presence, registration, clock }, namespace),
    onChange: (listener) => {
      library.onChange(listener);
    },
    pending: () => library.pending(),
    async report() {
      while (!signal.aborted) {
        await sleep(clock, REPORT_MS, signal);
        say(false);
      }
    },
    close: () => engine.close(),
  };
}

/** Asks the API server to store a rule that only our webhook refuses, and in a dry run: its word comes back, or not. */
export async function probeWebhook(client: Client, signal: AbortSignal): Promise<boolean> {
  const nonce = randomUUID();
  const rule = {
    apiVersion: 'cogniforge.dev/v1alpha1',
    kind: 'PolicyRule',
    metadata: { name: 'cogniforge-probe', annotations: { [PROBE]: nonce } },
    spec: { match: { kinds: [{ kinds: ['Probe'] }] }, regoQuery: 'false' },
  };
  try {
    await client.create(POLICY_RULE, rule, { dryRun: true, signal });
    return false;
  } catch (error) {
    if (!isApiError(error)) throw error;
    return error.message.includes(nonce);
  }
}
