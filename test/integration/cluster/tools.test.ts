import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { execFile, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ToolSpec } from '../../cluster/tools.ts';
import { temporaryFolder } from './traces.ts';

const TOOLS = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'cluster', 'tools.ts');
const SOUND = 'sound\n';

let temporary: string;
/** a cache with one sound entry, copied for each test */
let pristine: string;
let cache: string;
let spec: ToolSpec;

beforeAll(async () => {
  temporary = temporaryFolder();
  pristine = join(temporary, 'pristine');
  spec = toolOf('sound', `package main\n\nfunc main() { print("sound\\n") }\n`);
  const { said } = await ensure(pristine, spec);
  expect(said).toContain('building tiny');
}, 120_000);

afterAll(() => {
  rmSync(temporary, { recursive: true, force: true });
});

beforeEach(() => {
  cache = join(temporary, 'cache');
  rmSync(cache, { recursive: true, force: true });
  cpSync(pristine, cache, { recursive: true });
});

function toolOf(folder: string, source: string): ToolSpec {
  const module = join(temporary, folder);
  mkdirSync(module);
  writeFileSync(join(module, 'go.mod'), 'module example.test/tiny\n\ngo 1.24\n');
  writeFileSync(join(module, 'main.go'), source);
  return { name: 'tiny', module, package: '.', ldflags: '-s -w', probe: [], expectedSeconds: 1 };
}

interface Ensured {
  path: string;
  /** what the person at the terminal was told */
  said: string;
}

/** `builtTool` in a process of its own: what one process has verified it does not verify again. */
async function ensure(where: string, tool: ToolSpec): Promise<Ensured> {
  const script = `
    import { builtTool } from ${JSON.stringify(TOOLS)};
    const said = [];
    const path = await builtTool(${JSON.stringify(tool)}, ${JSON.stringify(where)}, (line) => said.push(line));
    console.log(JSON.stringify({ path, said: said.join('\\n') }));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return JSON.parse(stdout) as Ensured;
}

function outputOf(binary: string): string {
  // Go's print writes to stderr.
  return spawnSync(binary, { encoding: 'utf8' }).stderr;
}

/** Of a process that has ended. */
function deadPid(): number {
  return spawnSync('true').pid;
}

/** Of the one entry: `.../tools/PLATFORM/tiny-FINGERPRINT`. */
function entry(): string {
  const folder = join(cache, 'tools', `${process.platform}-${process.arch}`);
  return join(folder, readdirSync(folder).find((name) => /^tiny-[\da-f]+$/.test(name)) ?? '');
}

async function expectBuiltAnew(): Promise<void> {
  const { path, said } = await ensure(cache, spec);
  expect(said).toContain('building tiny');
  expect(outputOf(path)).toBe(SOUND);
  expect((await ensure(cache, spec)).said).toBe('');
}

describe('an entry of the tool cache', () => {
  it('is used without building when it is whole', async () => {
    const { path, said } = await ensure(cache, spec);
    expect({ path, said }).toEqual({ path: join(entry(), 'tiny'), said: '' });
    expect(outputOf(path)).toBe(SOUND);
  });

  it.each<[string, (binary: string, seal: string) => void]>([
    [
      'the binary is cut short',
      (binary) => {
        truncateSync(binary, statSync(binary).size - 1);
      },
    ],
    [
      'a byte of the binary differs',
      (binary) => {
        const bytes = readFileSync(binary);
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        writeFileSync(binary, bytes);
      },
    ],
    [
      'something is appended to the binary',
      (binary) => {
        appendFileSync(binary, 'x');
      },
    ],
    [
      'the binary is missing',
      (binary) => {
        rmSync(binary);
      },
    ],
    [
      'the seal is missing',
      (_binary, seal) => {
        rmSync(seal);
      },
    ],
    [
      'the seal is half written',
      (_binary, seal) => {
        truncateSync(seal, 20);
      },
    ],
  ])(
    'is built anew when %s',
    async (_what, damage) => {
      damage(join(entry(), 'tiny'), join(entry(), 'seal.json'));
      await expectBuiltAnew();
    },
    60_000,
  );

  it('is another one when a source of ours has changed', async () => {
    const changed = toolOf('changed', `package main\n\nfunc main() { print("changed\\n") }\n`);
    const { path, said } = await ensure(cache, changed);
    expect(said).toContain('building tiny');
    expect(outputOf(path)).toBe('changed\n');
  }, 60_000);

  it('is never made of what a killed build has left, which is cleared away', async () => {
    const sound = entry();
    const left = `${sound}.${String(deadPid())}.tmp`;
    cpSync(sound, left, { recursive: true });
    rmSync(sound, { recursive: true });
    writeFileSync(join(left, 'tiny'), '#!/bin/sh\necho half >&2\n');
    chmodSync(join(left, 'tiny'), 0o755);
    await expectBuiltAnew();
    expect(readdirSync(dirname(sound))).toEqual([sound.slice(dirname(sound).length + 1)]);
  }, 60_000);
});

describe('the lock of a build', () => {
  it('whose owner is dead does not hold', async () => {
    const lock = `${entry()}.lock`;
    rmSync(entry(), { recursive: true });
    mkdirSync(lock);
    writeFileSync(join(lock, 'pid'), String(deadPid()));
    await expectBuiltAnew();
    expect(existsSync(lock)).toBe(false);
  }, 60_000);

  it('whose owner died before it had signed does not hold', async () => {
    const lock = `${entry()}.lock`;
    rmSync(entry(), { recursive: true });
    mkdirSync(lock);
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(lock, longAgo, longAgo);
    await expectBuiltAnew();
  }, 60_000);

  it.each([
    ['lets one build and the others wait for it', false],
    ['is taken over from a dead owner by one only', true],
  ])(
    '%s',
    async (_what, left) => {
      const lock = `${entry()}.lock`;
      rmSync(entry(), { recursive: true });
      if (left) {
        mkdirSync(lock);
        writeFileSync(join(lock, 'pid'), String(deadPid()));
      }
      const all = await Promise.all(Array.from({ length: 3 }, () => ensure(cache, spec)));
      expect(all.filter(({ said }) => said.includes('building tiny'))).toHaveLength(1);
      expect(new Set(all.map(({ path }) => path)).size).toBe(1);
      expect(outputOf(all[0]?.path ?? '')).toBe(SOUND);
    },
    60_000,
  );
});

describe('a build that fails', () => {
  it.each([
    ['does not compile', 'package main\n\nfunc main() { undefinedWord() }\n', 'undefined: undefinedWord'],
    [
      'does not run',
      `package main\n\nimport "os"\n\nfunc main() { print("no luck\\n"); os.Exit(1) }\n`,
      'no luck',
    ],
  ])(
    'because the program %s tells why and leaves nothing',
    async (what, source, reason) => {
      const broken = toolOf(what.replaceAll(' ', '-'), source);
      const empty = join(temporary, `cache of what ${what}`);
      await expect(ensure(empty, broken)).rejects.toThrow(reason);
      expect(readdirSync(join(empty, 'tools', `${process.platform}-${process.arch}`))).toEqual([]);
    },
    60_000,
  );
});
