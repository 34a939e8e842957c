/** `cogniforge policy eval` as a user runs it; OPA_BIN is set by `npm test`. */
import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { toolPath } from '../../cluster/tools.ts';

const QUICKSTART = 'deploy/examples/quickstart';

async function policyEval(rule: string, input: string) {
  const OPA_BIN = await toolPath('opa');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['bin/cogniforge.js', 'policy', 'eval', '--rule', rule, '--input', input],
    {
      encoding: 'utf8',
      env: { ...process.env, OPA_BIN, NODE_OPTIONS: '' },
    },
  );
  return { status, text: stdout + stderr };
}

describe('cogniforge policy eval', () => {
  it('exits with 1 and the message on a violation', async () => {
    const { status, text } = await policyEval(`${QUICKSTART}/rule.yaml`, `${QUICKSTART}/bad-deployment.yaml`);
    expect(text).toContain(
      'Deployment shop: [require-health-checks] Deployments must have health checks configured',
    );
    expect(status).toBe(1);
  });

  it('exits with 0 when there is none', async () => {
    const { status, text } = await policyEval(
      `${QUICKSTART}/rule.yaml`,
      `${QUICKSTART}/good-deployment.yaml`,
    );
    expect(text).toContain('no violation');
    expect(status).toBe(0);
  });
});
