/** What is known of a rule on this replica, on the others, and of the road to us. */
import type { Reader } from '../../runtime/kind.ts';
import type { Presence } from '../../runtime/presence.ts';
import type { Target } from '../../runtime/webhook/target.ts';
import type { Registration } from '../../runtime/webhook/registration.ts';
import { exemptKinds, unknownKinds, unknownParts } from '../../runtime/webhook/rules.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Counts, Library } from '../library.ts';
import { parseJson } from '../../runtime/json.ts';
import { describeProblem, type Problem } from '../problems.ts';
import { targetsOf } from '../targets.ts';
import type { PolicyRule } from './types.gen.ts';

/** The topic of a replica's report: rule -> [generation, evaluations, denials, warnings, errors]. */
export const TOPIC = 'policyrules';

export interface ReplicaView extends Counts {
  identity: string;
  alive: boolean;
  servedGeneration: number;
}

export interface Compiled {
  generation: number;
  text: string;
  libs: string[];
  from: 'Rego' | 'RegoQuery';
  regoVersion: 'V0' | 'V1';
  entrypoint: string;
  compilerVersion: string;
  parameters: Record<string, unknown>;
}

export interface Input {
  rule: PolicyRule;
  /** generation this replica has looked at last */
  lookedAt: number;
  compiled: Compiled | undefined;
  problems: string[];
  /** of the parameters and their schema, with their paths */
  parameterProblems: string[];
  /** of the rule's own tests: how many were run, and what failed */
  testsRun: number;
  failedTests: string[];
  lastError: string | undefined;
  replicas: ReplicaView[];
  /** whether the API server sends us what the rule is about */
  covered: boolean;
  unknownKinds: string[];
  /** subresources that none of the rule's kinds has */
  unknownParts: string[];
  /** what the API server has against the rule's matchConditions */
  refusal: string | undefined;
  /** kinds that are never judged, though the rule names them */
  exemptKinds: string[];
}

export interface Services {
  library: Library;
  presence: Presence;
  registration: Registration;
  clock: Clock;
}

export function gatherFrom({ library, presence, registration, clock }: Services) {
  return (rule: PolicyRule, _read: Reader): Promise<Input> => {
    const { name } = rule.metadata;
    const state = library.state(name);
    const targets = targetsOf(rule);
    const [first] = targets;
    const { resources } = registration;
    const served = state?.served;
    return Promise.resolve({
      rule,
      lookedAt: state?.compiledGeneration ?? 0,
      compiled:
        served === undefined || served.generation === 0
          ? undefined
          : {
              generation: served.generation,
              text: served.policy.text,
              libs: [...served.policy.libs],
              from: served.reads === 'object' ? 'RegoQuery' : 'Rego',
              regoVersion: served.rule.spec.regoVersion,
              entrypoint: served.policy.entrypoint,
              compilerVersion: served.policy.compilerVersion,
              parameters: parseJson(served.parameters) as Record<string, unknown>,
            },
      problems: (state?.faults.compile ?? []).map(describeProblem),
      parameterProblems: (state?.faults.parameters ?? []).map(withPath),
      testsRun: state?.testsRun ?? 0,
      failedTests: (state?.faults.tests ?? []).map(withPath),
      lastError: state?.lastError,
      replicas: presence.replicas(clock.now()).flatMap(({ identity, alive, report }) => {
        const numbers = report[TOPIC]?.[name];
        if (numbers === undefined && !alive) return [];
        const [servedGeneration = 0, evaluations = 0, denials = 0, warnings = 0, errors = 0] = numbers ?? [];
        return [{ identity, alive, servedGeneration, evaluations, denials, warnings, errors }];
      }),
      covered: targets.every((target) => registration.covers(target)),
      refusal: targets.map((target) => registration.refusal(target)).find((words) => words !== undefined),
      unknownKinds: first === undefined ? [] : unknownKinds(first, resources),
      unknownParts: first === undefined ? [] : unknownParts(first, resources),
      exemptKinds: first === undefined ? [] : [...exemptKinds(first, resources), ...ownKind(first)],
    });
  };
}

function withPath(problem: Problem): string {
  return `spec.${describeProblem(problem)}`;
}

/** The gate lets every PolicyRule pass. */
function ownKind({ kinds }: Target): string[] {
  const named = kinds.some(
    ({ apiGroups, kinds: names }) =>
      names.includes('PolicyRule') && (apiGroups.includes('*') || apiGroups.includes('cogniforge.dev')),
  );
  return named ? ['PolicyRule'] : [];
}
