/** The story `npm start` shows: a rule becomes Ready, a bad Deployment is refused, a good one is accepted. */
import { join } from 'node:path';
import type { Kubectl, Result } from './stage.ts';

const REFUSAL = 'Deployments must have health checks configured';

/** Prints each command and what kubectl said; true when every step went as it should. */
export function tellStory(run: Kubectl, root: string, say: (line: string) => void): boolean {
  const quickstart = join(root, 'deploy', 'examples', 'quickstart');
  const step = (...args: string[]): Result => {
    say(`\n$ kubectl ${args.join(' ').replaceAll(`${root}/`, '')}`);
    const result = run(...args);
    say(result.text.trimEnd());
    return result;
  };
  if (!step('apply', '-f', join(quickstart, 'rule.yaml')).ok) return false;
  if (!step('wait', '--for=condition=Ready', 'policyrule/require-health-checks', '--timeout=30s').ok)
    return false;
  step('get', 'policyrules');
  const bad = step('apply', '-f', join(quickstart, 'bad-deployment.yaml'));
  if (bad.ok || !bad.text.includes(REFUSAL)) return false;
  return step('apply', '-f', join(quickstart, 'good-deployment.yaml')).ok;
}
