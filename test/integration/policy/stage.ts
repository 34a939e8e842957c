/** A control plane with the CRDs, and replicas of the operator beside it: what each test of policy starts from. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { startCluster, type Cluster, type ClusterOptions } from '../../cluster/controlplane.ts';
import { startOperator, type Operator, type OperatorOptions } from '../../cluster/operator.ts';
import { toolPath } from '../../cluster/tools.ts';

export interface Output {
  ok: boolean;
  text: string;
}

export interface Stage {
  cluster: Cluster;
  /** the real kubectl; words are separated by spaces */
  kubectl(args: string, input?: object): Output;
  /** the same, throws when it fails */
  must(args: string, input?: object): string;
  get(args: string): Json;
  startReplica(options?: Partial<OperatorOptions>): Promise<Operator>;
  stop(): Promise<void>;
}

/** What kubectl prints as JSON, to be looked into. */
export type Json = Record<string, unknown>;

export const CONFIG_MAPS = { kinds: [{ apiGroups: [''], kinds: ['ConfigMap'] }] };
export const READY_SECONDS = 40;

export async function openStage(options: ClusterOptions = {}): Promise<Stage> {
  const cluster = await startCluster(options);
  const operators: Operator[] = [];
  const kubectl = (args: string, input?: object): Output => {
    const { status, stdout, stderr } = spawnSync(
      cluster.kubectl,
      ['--kubeconfig', cluster.kubeconfig, ...args.split(' ')],
      { encoding: 'utf8', ...(input === undefined ? {} : { input: JSON.stringify(input) }) },
    );
    return { ok: status === 0, text: stdout + stderr };
  };
  const must = (args: string, input?: object): string => {
    const { ok, text } = kubectl(args, input);
    if (!ok) throw new Error(`kubectl ${args}: ${text}`);
    return text;
  };
  must('apply --server-side -f crds');
  must('wait --for=condition=Established -f crds --timeout=30s');
  must('create namespace cogniforge-system');
  const opa = await toolPath('opa');
  return {
    cluster,
    kubectl,
    must,
    get: (args) => JSON.parse(must(`get ${args} -o json`)) as Json,
    async startReplica(special = {}) {
      const logFile = join(cluster.folder, `operator-${String(operators.length)}.log`);
      const operator = await startOperator({ kubeconfig: cluster.kubeconfig, opa, logFile, ...special });
      operators.push(operator);
      return operator;
    },
    async stop() {
      for (const operator of operators) await operator.stop();
      await cluster.stop();
    },
  };
}

export async function eventually(what: string, holds: () => boolean, seconds = 30): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; !holds();) {
    if (Date.now() > deadline) throw new Error(`not within ${String(seconds)} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export function rule(name: string, spec: object): object {
  return { apiVersion: 'cogniforge.dev/v1alpha1', kind: 'PolicyRule', metadata: { name }, spec };
}

export function configMap(name: string, data: Record<string, string>, namespace = 'default'): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

/** A rule that is violated by data.KEY. */
export function noKey(key: string): string {
  return `package example\n\nviolation contains {"msg": "no ${key} here"} if input.review.object.data.${key}`;
}

interface RuleStatus {
  conditions?: { type: string; status: string; reason: string; message: string }[];
  enforcedBy?: string;
  statistics?: { evaluations: number; denials: number; warnings: number; errors: number };
  [field: string]: unknown;
}

export function statusOf(stage: Stage, name: string): RuleStatus {
  return stage.get(`policyrule ${name}`)['status'] as RuleStatus;
}

/** `True InForce` */
export function ready(stage: Stage, name: string): string {
  const condition = statusOf(stage, name).conditions?.find(({ type }) => type === 'Ready');
  return `${condition?.status ?? '-'} ${condition?.reason ?? '-'}`;
}

/** Applies a rule and waits until it is in force. */
export function inForce(stage: Stage, name: string, spec: object): void {
  stage.must('apply -f -', rule(name, spec));
  stage.must(`wait --for=condition=Ready policyrule/${name} --timeout=${String(READY_SECONDS)}s`);
}
