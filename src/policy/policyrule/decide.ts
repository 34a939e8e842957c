/** The status of a rule: pure. */
import { conditionsOf, type Statement } from '../../runtime/conditions.ts';
import { timestamp, type Instant } from '../../runtime/clock.ts';
import type { Decision, Note } from '../../runtime/kind.ts';
import type { Counts } from '../library.ts';
import { actionAt } from '../enforcement.ts';
import type { Input, ReplicaView } from './gather.ts';
import type { PolicyRuleStatus } from './types.gen.ts';

/** A replica that dies tells nobody: its absence is noticed by looking again. */
const LOOK_AGAIN_MS = 30_000;
/** The webhook configuration follows the rules within moments, and whoever applied one is waiting for it. */
const REGISTRATION_MS = 500;

/** What the CRD has room for. */
const MOST_REPLICAS = 64;

const COUNTS = ['evaluations', 'denials', 'warnings', 'errors'] as const;

export function decide(input: Input, now: Instant): Decision<PolicyRuleStatus> {
  const { rule } = input;
  const generation = rule.metadata.generation ?? 1;
  const before = rule.status;
  const alive = input.replicas.filter((replica) => replica.alive);
  const serving = alive.filter((replica) => replica.servedGeneration === generation);
  const known = remembered(input);
  const compiled = compiledStatement(input, generation);
  const served = servedStatement(input, alive.length, serving.length);
  const rests = [
    compiled,
    ...parametersStatement(input, generation),
    ...testsStatement(input, generation),
    served,
  ];
  const ready = readyStatement(rests, actionAt(rule.spec, 'Admission') === 'Off');
  const conditions = conditionsOf(before?.conditions, [ready, ...rests], generation, now);
  const status: PolicyRuleStatus = {
    ...inForce(input),
    observedGeneration: generation,
    conditions,
    enforcedBy: `${String(serving.length)}/${String(alive.length)}`,
    replicas: known.map(({ identity, alive: lives, servedGeneration, ...counts }) => ({
      identity,
      servedGeneration: lives ? servedGeneration : 0,
      ...countsOf(counts),
    })),
    statistics: statistics(before, known),
    ...lastError(input, now),
    lastDecision: {
      reason: ready.reason,
      summary: `${rests.map(({ reason }) => reason).join(', ')}: ${ready.message}`.slice(0, 2_048),
    },
  };
  return {
    effects: [],
    status,
    events: transition(before?.conditions?.find(({ type }) => type === 'Ready')?.reason, ready),
    next:
      served.reason === 'NotRegistered'
        ? { type: 'wait', until: now + REGISTRATION_MS, reason: 'WatchRegistration' }
        : { type: 'wait', until: now + LOOK_AGAIN_MS, reason: 'WatchReplicas' },
    because: [...rests, ready].map(({ type, reason, message }) => ({
      rule: type,
      result: `${reason}: ${message}`,
    })),
  };
}

function compiledStatement({ problems, lookedAt }: Input, generation: number): Statement {
  if (lookedAt !== generation) {
    return {
      type: 'Compiled',
      status: 'Unknown',
      reason: 'Compiling',
      message: `generation ${String(generation)} is being compiled`,
    };
  }
  if (problems.length === 0)
    return { type: 'Compiled', status: 'True', reason: 'Compiled', message: 'the rule compiles' };
  return {
    type: 'Compiled',
    status: 'False',
    reason: 'CompileFailed',
    message: `${problems.join('\n')}\n${LAST_GOOD}`,
  };
}

const LAST_GOOD = 'The last good version, if there was one, stays in force.';

/** Stated only where there is a schema, or something wrong. */
function parametersStatement({ rule, parameterProblems, lookedAt }: Input, generation: number): Statement[] {
  const type = 'ParametersValid';
  if (lookedAt !== generation || (rule.spec.parametersSchema === undefined && parameterProblems.length === 0))
    return [];
  if (parameterProblems.length > 0)
    return [
      {
        type,
        status: 'False',
        reason: 'ParametersInvalid',
        message: `${parameterProblems.join('\n')}\n${LAST_GOOD}`,
      },
    ];
  return [
    {
      type,
      status: 'True',
      reason: 'Valid',
      message: 'the parameters are as spec.parametersSchema wants them',
    },
  ];
}

/** Stated only where the rule has tests. */
function testsStatement(input: Input, generation: number): Statement[] {
  const { rule, testsRun, failedTests, lookedAt } = input;
  const count = rule.spec.tests?.length ?? 0;
  const type = 'TestsPassed';
  if (count === 0 || lookedAt !== generation) return [];
  if (testsRun === 0) {
    const message = 'the tests were not run: the rule does not compile, or its parameters are wrong';
    return [{ type, status: 'Unknown', reason: 'NotRun', message }];
  }
  if (failedTests.length === 0)
    return [
      { type, status: 'True', reason: 'TestsPassed', message: `${String(count)} of ${String(count)} passed` },
    ];
  const message = `${String(failedTests.length)} of ${String(count)} failed\n${failedTests.join('\n')}\n${LAST_GOOD}`;
  return [{ type, status: 'False', reason: 'TestsFailed', message }];
}

function servedStatement(
  { rule, covered, refusal, unknownKinds, unknownParts, exemptKinds }: Input,
  alive: number,
  serving: number,
): Statement {
  if (rule.spec.suspend)
    return {
      type: 'Served',
      status: 'False',
      reason: 'Suspended',
      message: 'spec.suspend is true: nothing is judged',
    };
  if (unknownKinds.length > 0) {
    const message = `the API server serves no kind ${unknownKinds.join(', ')}; the rule takes effect when it does`;
    return { type: 'Served', status: 'False', reason: 'KindUnknown', message };
  }
  if (exemptKinds.length > 0) {
    const message = `${exemptKinds.join(', ')} is never judged, so that no rule can stop the cluster or its own repair; take it out of spec.match.kinds`;
    return { type: 'Served', status: 'False', reason: 'KindExempt', message };
  }
  if (unknownParts.length > 0) {
    const message = `no kind of spec.match.kinds has a subresource ${unknownParts.join(', ')}`;
    return { type: 'Served', status: 'False', reason: 'SubresourceUnknown', message };
  }
  if (refusal !== undefined) {
    const message = `the API server does not accept spec.matchConditions, so that nothing is sent to this rule: ${refusal}`;
    return { type: 'Served', status: 'False', reason: 'MatchConditionRefused', message };
  }
  if (!covered)
    return {
      type: 'Served',
      status: 'False',
      reason: 'NotRegistered',
      message: 'the API server does not send us these objects yet',
    };
  if (alive === 0 || serving < alive) {
    return {
      type: 'Served',
      status: 'False',
      reason: 'ReplicasBehind',
      message: `${String(serving)} of ${String(alive)} replicas serve this version`,
    };
  }
  return {
    type: 'Served',
    status: 'True',
    reason: 'Served',
    message: `all ${String(alive)} replicas serve this version`,
  };
}

function readyStatement(rests: readonly Statement[], off: boolean): Statement {
  const culprit = rests.find(({ status }) => status !== 'True');
  if (culprit === undefined) {
    const message = `the rule is in force${off ? '; at admission it is off' : ''}`;
    return { type: 'Ready', status: 'True', reason: 'InForce', message };
  }
  return { ...culprit, type: 'Ready', status: culprit.status === 'Unknown' ? 'Unknown' : 'False' };
}

/** The module in force. What was there stays until something better was compiled: it is what a restart serves. */
function inForce({ rule: { status }, compiled }: Input): PolicyRuleStatus {
  if (compiled === undefined) {
    const kept: PolicyRuleStatus = {};
    for (const field of [
      'compiledRego',
      'compiledLibs',
      'compiledFrom',
      'compiledRegoVersion',
      'compiledGeneration',
      'compilerVersion',
      'compiledParameters',
      'entrypoint',
    ] as const) {
      if (status?.[field] !== undefined) Object.assign(kept, { [field]: status[field] });
    }
    return kept;
  }
  return {
    compiledRego: compiled.text,
    ...(compiled.libs.length === 0 ? {} : { compiledLibs: compiled.libs }),
    compiledFrom: compiled.from,
    compiledRegoVersion: compiled.regoVersion,
    compiledGeneration: compiled.generation,
    compilerVersion: compiled.compilerVersion,
    ...(Object.keys(compiled.parameters).length === 0 ? {} : { compiledParameters: compiled.parameters }),
    entrypoint: compiled.entrypoint,
  };
}

/**
 * The replicas whose counts are written down: those that live, and of the dead those that have counted, as long as their
 * record is there. A dead one that was forgotten earlier would be added to the totals again and again.
 */
function remembered({ rule: { status }, replicas }: Input): ReplicaView[] {
  const written = new Set(status?.replicas?.map(({ identity }) => identity));
  const rank = ({ alive, identity }: ReplicaView): number => (alive ? 0 : written.has(identity) ? 1 : 2);
  return replicas
    .filter((replica) => replica.alive || COUNTS.some((field) => replica[field] > 0))
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, MOST_REPLICAS);
}

/** Totals grow by what each replica has counted since we last wrote its count down: exact over crashes of ours. */
function statistics(status: PolicyRuleStatus | undefined, replicas: readonly ReplicaView[]): Counts {
  const grown = (field: (typeof COUNTS)[number]): number =>
    replicas.reduce((sum, replica) => sum + Math.max(0, replica[field] - knownOf(status, replica)[field]), 0);
  const [evaluations = 0, denials = 0, warnings = 0, errors = 0] = COUNTS.map(
    (field) => (status?.statistics?.[field] ?? 0) + grown(field),
  );
  return { evaluations, denials, warnings, errors };
}

function knownOf(status: PolicyRuleStatus | undefined, { identity }: ReplicaView): Counts {
  return countsOf(status?.replicas?.find((replica) => replica.identity === identity));
}

function countsOf(counts: Partial<Counts> | undefined): Counts {
  const { evaluations = 0, denials = 0, warnings = 0, errors = 0 } = counts ?? {};
  return { evaluations, denials, warnings, errors };
}

function lastError(
  { rule: { status }, lastError: message }: Input,
  now: Instant,
): Pick<PolicyRuleStatus, 'lastError'> {
  const before = status?.lastError;
  if (message === undefined) return before === undefined ? {} : { lastError: before };
  const short = message.slice(0, 4_096);
  return { lastError: before?.message === short ? before : { at: timestamp(now), message: short } };
}

function transition(before: string | undefined, ready: Statement): Note[] {
  if (before === ready.reason || ready.status === 'Unknown') return [];
  return [
    { type: ready.status === 'True' ? 'Normal' : 'Warning', reason: ready.reason, message: ready.message },
  ];
}
