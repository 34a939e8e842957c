/** Policy as one piece: rules compiled on every replica, evaluated at admission. */
import type { KubernetesObject } from '../runtime/resource.ts';
import { sleep } from '../runtime/clock.ts';
import type { RunningService, ServiceContext } from '../runtime/service.ts';
import { systemNamespaces } from '../runtime/webhook/configuration.ts';
import { compile as compileWith } from './compiler.ts';
import { createEngine } from './engine/engine.ts';
import { policyGate } from './gate.ts';
import { testEngine, type Workbench } from './inspection.ts';
import { Library } from './library.ts';
import { type as POLICY_RULE } from './policyrule/crd.gen.ts';
import { TOPIC } from './policyrule/gather.ts';
import type { PolicyRuleParts } from './policyrule/kind.ts';
import type { PolicyRule } from './policyrule/types.gen.ts';
import { compileShared, SharedModules } from './sharing.ts';
import { NAMESPACE } from '../runtime/core-types.ts';

const REPORT_MS = 10_000;

export function startPolicy(context: ServiceContext): PolicyRuleParts & RunningService {
  const { cache, presence, registration, namespace, clock, log, env, signal } = context;
  const opaBin = env['OPA_BIN'];
  const engine = createEngine({ clock });
  const modules = new SharedModules(testEngine(engine));
  const workbench: Workbench = {
    compile: compileShared((source, aborted) => compileWith(source, { signal: aborted, opaBin })),
    engine: modules,
  };
  const library = new Library({ ...workbench, clock, log, signal });
  cache.informer<PolicyRule>(POLICY_RULE).listen((change) => {
    library.follow(change);
  });
  const namespaces = cache.informer<KubernetesObject>(NAMESPACE, { metadataOnly: true });
  library.onChange(() => {
    presence.say(TOPIC, reportOf(library), true);
  });
  const gate = policyGate({
    library,
    evaluate: (id, input, deadlineMs) => engine.evaluate(modules.moduleOf(id), { input, deadlineMs }),
    namespaceLabels: (name) => {
      const namespace = namespaces.get(name);
      return namespace === undefined ? undefined : (namespace.metadata.labels ?? {});
    },
    kindOf: (group, resource) => registration.kindOf(group, resource),
    systemNamespaces: systemNamespaces(namespace),
    log,
  });
  return {
    library,
    workbench,
    gates: [gate],
    pending: () => library.pending(),
    onChange: (listener) => {
      library.onChange(listener);
    },
    async run() {
      while (!signal.aborted) {
        await sleep(clock, REPORT_MS, signal);
        presence.say(TOPIC, reportOf(library), false);
      }
    },
    close: () => engine.close(),
  };
}

/** What this replica serves and has counted: the other replicas' leader adds it up in the rules' statuses. */
function reportOf(library: Library): Record<string, number[]> {
  const report = library.served().map(({ name, generation }) => {
    const { evaluations = 0, denials = 0, warnings = 0, errors = 0 } = library.state(name)?.counts ?? {};
    const numbers = [generation, evaluations, denials, warnings, errors];
    return [name, numbers] as const;
  });
  return Object.fromEntries(report);
}
