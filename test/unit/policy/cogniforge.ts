/** The command as a user runs it, and its policy part within this process, which costs a tenth. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { policyCommand } from '../../../src/policy/commands.ts';
import { toolPath } from '../../cluster/tools.ts';

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface Folder {
  path: string;
  /** writes a file, a value as JSON; gives its path */
  file(name: string, content: string | object): string;
  remove(): void;
}

export function temporaryFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'cogniforge-command-'));
  return {
    path,
    file(name, content) {
      const place = join(path, name);
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, typeof content === 'string' ? content : JSON.stringify(content));
      return place;
    },
    remove: () => {
      rmSync(path, { recursive: true });
    },
  };
}

export async function cogniforge(args: readonly string[], input?: string | Buffer): Promise<Ran> {
  const opa = await toolPath('opa');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/cogniforge.js', ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    env: { ...process.env, NODE_OPTIONS: '', OPA_BIN: opa },
    ...(input === undefined ? {} : { input }),
  });
  return { status, stdout, stderr };
}

/** `cogniforge policy ARGS`. */
export async function policy(args: readonly string[], input: string | Buffer = ''): Promise<Ran> {
  const env = { ...process.env, OPA_BIN: await toolPath('opa') };
  const written = { stdout: '', stderr: '' };
  const status = await policyCommand(args, {
    env,
    print: (line) => {
      written.stdout += `${line}\n`;
    },
    complain: (line) => {
      written.stderr += `${line}\n`;
    },
    stdin: Readable.from(input.length === 0 ? [] : [Buffer.from(input)]),
  });
  return { status, ...written };
}
