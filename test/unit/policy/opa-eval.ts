/** The real opa as the judge of our own reading of Rego. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolPath } from '../../cluster/tools.ts';

/** The value of `query` given a module and the input as JSON text; undefined when it has none. Throws what opa says. */
export async function opaEval(module: string, query: string, input = '{}'): Promise<unknown> {
  const opa = await toolPath('opa');
  const folder = mkdtempSync(join(tmpdir(), 'cogniforge-opa-'));
  try {
    const file = join(folder, 'policy.rego');
    writeFileSync(file, module);
    const args = ['eval', '--format', 'json', '--stdin-input', '--data', file, query];
    const { status, stdout, stderr } = spawnSync(opa, args, { input, encoding: 'utf8', maxBuffer: 2 ** 26 });
    if (status !== 0) throw new Error(stdout + stderr);
    const { result = [] } = JSON.parse(stdout) as { result?: { expressions: { value: unknown }[] }[] };
    return result[0]?.expressions[0]?.value;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
