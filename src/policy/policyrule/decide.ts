/** The status of a rule: pure. */
import { conditionsOf, type Statement } from '../../runtime/conditions.ts';
import { timestamp, type Instant } from '../../runtime/clock.ts';
import type { Decision, Note } from '../../runtime/kind.ts';
import type { Counts } from '../library.ts';
import type { Input, ReplicaView } from './gather.ts';
import type { PolicyRuleStatus } from './types.gen.ts';

/** A replica that dies tells nobody: its absence is noticed by looking again. */
const LOOK_AGAIN_MS = 30_000;

const COUNTS = ['evaluations', 'denials', 'warnings', 'errors'] as const;

export function decide(input: Input, now: Instant): Decision<PolicyRuleStatus> {
  const { rule } = input;
  const generation = rule.metadata.generation ?? 1;
  const before = rule.status;
  const alive = input.replicas.filter((replica) => replica.alive);
  const serving = alive.filter((replica) => replica.servedGeneration === generation);
  const compiled = compiledStatement(input, generation);
  const served = servedStatement(input, alive.length, serving.length);
  const ready = readyStatement(compiled, served);
  const conditions = conditionsOf(before?.conditions, [ready, compiled, served], generation, now);
  const status: PolicyRuleStatus = {
    ...inForce(input),
    observedGeneration: generation,
    conditions,
    enforcedBy: `${String(serving.length)}/${String(alive.length)}`,
    replicas: alive.map(({ identity, servedGeneration, evaluations, denials, warnings, errors }) => ({
      identity,
      servedGeneration,
      evaluations,
      denials,
      warnings,
      errors,
    })),
    statistics: statistics(input),
    ...lastError(input, now),
    lastDecision: {
      reason: ready.reason,
      summary: `${compiled.reason}, ${served.reason}: ${ready.message}`.slice(0, 2_048),
    },
  };
  return {
    effects: [],
    status,
    events: transition(before?.conditions?.find(({ type }) => type === 'Ready')?.reason, ready),
    next: { type: 'wait', until: now + LOOK_AGAIN_MS, reason: 'WatchReplicas' },
    because: [compiled, served, ready].map(({ type, reason, message }) => ({
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
    message: `${problems.join('\n')}\nThe last good version, if there was one, stays in force.`,
  };
}

function servedStatement({ rule, covered, unknownKinds }: Input, alive: number, serving: number): Statement {
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

function readyStatement(compiled: Statement, served: Statement): Statement {
  const culprit = [compiled, served].find(({ status }) => status !== 'True');
  if (culprit === undefined)
    return { type: 'Ready', status: 'True', reason: 'InForce', message: 'the rule is in force' };
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
    entrypoint: compiled.entrypoint,
  };
}

/** Totals grow by what each replica has counted since we last wrote its count down: exact over crashes of ours. */
function statistics({ rule: { status }, replicas }: Input): Counts {
  const grown = (field: (typeof COUNTS)[number]): number =>
    replicas.reduce((sum, replica) => sum + Math.max(0, replica[field] - knownOf(status, replica)[field]), 0);
  const [evaluations = 0, denials = 0, warnings = 0, errors = 0] = COUNTS.map(
    (field) => (status?.statistics?.[field] ?? 0) + grown(field),
  );
  return { evaluations, denials, warnings, errors };
}

function knownOf(status: PolicyRuleStatus | undefined, { identity }: ReplicaView): Counts {
  const known = status?.replicas?.find((replica) => replica.identity === identity);
  return {
    evaluations: known?.evaluations ?? 0,
    denials: known?.denials ?? 0,
    warnings: known?.warnings ?? 0,
    errors: known?.errors ?? 0,
  };
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
