/** Everything the operator writes or says, and what the API server writes of it: where a secret might be read. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Operator } from '../../cluster/operator.ts';
import type { Stage } from '../policy/stage.ts';

export interface Places {
  folder: string;
  /** what the operators print, all of them into one file */
  log: string;
  /** the temporary folder of the operators */
  scratch: string;
  audit: string;
  /** for kube-apiserver */
  auditFlags: string[];
}

/** Who, what, answer and annotations of each request, never its object: what an audit log that keeps no Secrets is. */
const AUDIT_POLICY = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'Metadata' }] };

export function makePlaces(): Places {
  const folder = mkdtempSync(join(tmpdir(), 'cogniforge-canary-'));
  const [audit, policy, scratch] = ['audit.log', 'policy.json', 'scratch'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  writeFileSync(policy, JSON.stringify(AUDIT_POLICY));
  mkdirSync(scratch);
  return {
    folder,
    log: join(folder, 'operator.log'),
    scratch,
    audit,
    auditFlags: [`--audit-policy-file=${policy}`, `--audit-log-path=${audit}`],
  };
}

/** By name; each is what an operator of that name leaves behind at this moment. */
export async function collect(
  stage: Stage,
  { log, scratch, audit }: Places,
  operator: Operator,
): Promise<Map<string, string>> {
  const read = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  const get = (what: string): string => stage.must(`get ${what} -o json --show-managed-fields`);
  const fetched = async (path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${String(operator.healthPort)}${path}`)).text();
  return new Map([
    ['stdout and stderr', read(log)],
    ['temporary files', filesOf(scratch)],
    ['Events', get('events.events.k8s.io -A') + get('events -A')],
    ['objects of our kinds', get('policyrules')],
    ['ConfigMaps, the probe among them', get('configmaps -A')],
    ['Leases', get('leases -A')],
    ['the webhook configuration', get('validatingwebhookconfigurations')],
    ['/metrics', await fetched('/metrics')],
    ['/healthz and /readyz', (await fetched('/healthz')) + (await fetched('/readyz'))],
    ['the command line', read(`/proc/${String(operator.pid)}/cmdline`)],
    ["the API server's audit log", read(audit)],
    ["the API server's own log", read(join(stage.cluster.folder, 'kube-apiserver-main.log'))],
    ['the termination message', read('/dev/termination-log')],
  ]);
}

/** Names and contents. */
function filesOf(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return `${path}\n${entry.isFile() ? readFileSync(path, 'latin1') : ''}\n`;
    })
    .join('');
}
