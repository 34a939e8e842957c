/**
 * The real programs a cluster is made of, built once per machine with the Go toolchain and cached outside the checkout.
 *
 * An entry of the cache is a folder named after everything its binary depends on. It appears by one rename after the
 * binary has run, and holds the size and hash it had then: a half-built or damaged one is never used.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ToolSpec {
  name: string;
  /** folder of the Go module that pins the version */
  module: string;
  /** import path of the command */
  package: string;
  ldflags: string;
  /** arguments that make a sound binary exit with 0 */
  probe: readonly string[];
  /** seconds a cold build takes on two cores, for the progress line */
  expectedSeconds: number;
}

const HERE = dirname(fileURLToPath(import.meta.url));
const KUBERNETES = 'v1.35.4';
const VERSION = 'k8s.io/component-base/version';

const versioned = [
  '-s -w',
  `-X ${VERSION}.gitVersion=${KUBERNETES}`,
  `-X ${VERSION}.gitMajor=1`,
  `-X ${VERSION}.gitMinor=35`,
  `-X ${VERSION}.gitTreeState=clean`,
  `-X ${VERSION}.gitCommit=unknown`,
  `-X ${VERSION}.buildDate=1970-01-01T00:00:00Z`,
].join(' ');

function kubernetes(name: string, expectedSeconds: number): ToolSpec {
  const probe = name === 'kubectl' ? ['version', '--client'] : ['--version'];
  const module = join(HERE, 'tools', 'kubernetes');
  return {
    name,
    module,
    package: `k8s.io/kubernetes/cmd/${name}`,
    ldflags: versioned,
    probe,
    expectedSeconds,
  };
}

export const TOOLS: readonly ToolSpec[] = [
  kubernetes('kube-apiserver', 260),
  kubernetes('kube-controller-manager', 70),
  kubernetes('kubectl', 30),
  kubernetes('kube-scheduler', 20),
  kubernetes('kubelet', 40),
  kubernetes('kube-proxy', 20),
  {
    name: 'etcd',
    module: join(HERE, 'tools', 'etcd'),
    package: 'go.etcd.io/etcd/server/v3',
    ldflags: '-s -w',
    probe: ['--version'],
    expectedSeconds: 35,
  },
  {
    name: 'coredns',
    module: join(HERE, 'tools', 'coredns'),
    package: '.',
    ldflags: '-s -w',
    probe: ['-version'],
    expectedSeconds: 110,
  },
  {
    name: 'opa',
    module: join(HERE, 'tools', 'opa'),
    package: 'github.com/open-policy-agent/opa',
    ldflags: '-s -w',
    probe: ['version'],
    expectedSeconds: 45,
  },
  {
    name: 'helm',
    module: join(HERE, 'tools', 'helm'),
    package: 'helm.sh/helm/v4/cmd/helm',
    ldflags: '-s -w -X helm.sh/helm/v4/internal/version.version=v4.3.1',
    probe: ['version'],
    expectedSeconds: 90,
  },
];

export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env['COGNIFORGE_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'cogniforge');
}

/** Path of a tool that is known by name, building it when the cache has no sound one. */
export function toolPath(name: string, say: (line: string) => void = sayNothing): Promise<string> {
  const spec = TOOLS.find((tool) => tool.name === name);
  if (spec === undefined)
    throw new Error(`no tool ${name}; known: ${TOOLS.map((tool) => tool.name).join(', ')}`);
  return builtTool(spec, cacheFolder(), say);
}

/** As toolPath, for any specification and cache. */
export async function builtTool(spec: ToolSpec, cache: string, say: (line: string) => void): Promise<string> {
  const entry = join(
    cache,
    'tools',
    `${process.platform}-${process.arch}`,
    `${spec.name}-${fingerprint(spec)}`,
  );
  const found = soundBinary(spec, entry);
  if (found !== undefined) return found;
  mkdirSync(dirname(entry), { recursive: true });
  const unlock = await lock(`${entry}.lock`, say);
  try {
    // Whoever held the lock may have built it meanwhile.
    return soundBinary(spec, entry) ?? (await build(spec, entry, say));
  } finally {
    unlock();
  }
}

function sayNothing(): void {
  // a caller that wants no progress
}

/** Everything the binary depends on: pinned versions, source of our own, flags, Go itself. */
function fingerprint(spec: ToolSpec): string {
  const hash = createHash('sha256');
  const sources = readdirSync(spec.module).filter((name) => name.endsWith('.go'));
  for (const file of ['go.mod', 'go.sum', ...sources.toSorted()]) {
    const path = join(spec.module, file);
    if (existsSync(path)) hash.update(readFileSync(path));
  }
  hash.update(spec.package).update(spec.ldflags).update(goVersion());
  return hash.digest('hex').slice(0, 16);
}

let cachedGoVersion: string | undefined;

function goVersion(): string {
  if (cachedGoVersion === undefined) {
    const go = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' });
    if (go.status !== 0) {
      throw new Error(
        'the Go toolchain is needed to build a control plane: install Go >= 1.26, or pass --kubeconfig FILE',
      );
    }
    cachedGoVersion = go.stdout.trim();
  }
  return cachedGoVersion;
}

interface Seal {
  size: number;
  sha256: string;
}

/**
 * The binary of an entry, when it is whole. The hash of 100 MB is worth 50 ms once a process: a disk that ran full or a
 * killed copy is found here and not as a riddle later.
 */
function soundBinary(spec: ToolSpec, entry: string): string | undefined {
  const binary = join(entry, spec.name);
  const known = verified.get(binary);
  if (known !== undefined) return known;
  try {
    const seal = JSON.parse(readFileSync(join(entry, 'seal.json'), 'utf8')) as Seal;
    if (statSync(binary).size !== seal.size || sha256(binary) !== seal.sha256) return undefined;
  } catch {
    return undefined;
  }
  verified.set(binary, binary);
  return binary;
}

const verified = new Map<string, string>();

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

async function build(spec: ToolSpec, entry: string, say: (line: string) => void): Promise<string> {
  clearLeftovers(entry);
  const temporary = `${entry}.${String(process.pid)}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  const binary = join(temporary, spec.name);
  try {
    await compile(spec, binary, say);
    const probe = spawnSync(binary, spec.probe, { encoding: 'utf8' });
    if (probe.status !== 0)
      throw new Error(`${spec.name} was built but does not run: ${probe.stderr.slice(0, 500)}`);
    const seal: Seal = { size: statSync(binary).size, sha256: sha256(binary) };
    writeFileSync(join(temporary, 'seal.json'), JSON.stringify(seal));
    rmSync(entry, { recursive: true, force: true });
    renameSync(temporary, entry);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return join(entry, spec.name);
}

/** What builds that were killed have left; the folder of one that lives is named after its process. */
function clearLeftovers(entry: string): void {
  const prefix = `${basename(entry)}.`;
  for (const name of readdirSync(dirname(entry)))
    if (
      name.startsWith(prefix) &&
      name.endsWith('.tmp') &&
      ended(Number.parseInt(name.slice(prefix.length), 10))
    )
      rmSync(join(dirname(entry), name), { recursive: true, force: true });
}

function ended(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function compile(spec: ToolSpec, output: string, say: (line: string) => void): Promise<void> {
  const started = Date.now();
  const elapsed = (): string => `${String(Math.round((Date.now() - started) / 1000))} s`;
  say(`building ${spec.name} (once on this machine; about ${String(spec.expectedSeconds)} s) ...`);
  const ticker = setInterval(() => {
    say(`building ${spec.name}: ${elapsed()} of about ${String(spec.expectedSeconds)} s`);
  }, 15_000);
  return new Promise((resolve, reject) => {
    const child = spawn('go', ['build', '-trimpath', '-ldflags', spec.ldflags, '-o', output, spec.package], {
      cwd: spec.module,
      env: { ...process.env, CGO_ENABLED: '0' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-4_000);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      clearInterval(ticker);
      if (code === 0) {
        say(`built ${spec.name} in ${elapsed()}`);
        resolve();
      } else reject(new Error(`go build ${spec.package} failed:\n${stderr}`));
    });
  });
}

/** A folder is a lock that one process can make; its owner's pid tells a dead owner from a slow one. */
async function lock(path: string, say: (line: string) => void): Promise<() => void> {
  const owner = join(path, 'pid');
  for (let told = false; ;) {
    try {
      mkdirSync(path);
      writeFileSync(owner, String(process.pid));
      return () => {
        rmSync(path, { recursive: true, force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (abandoned(path, owner)) {
      breakLock(path, owner);
      await new Promise((resolve) => setTimeout(resolve, 20));
      continue;
    }
    if (!told) say('another process is building the same tool: waiting for it');
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** One at a time, and each looks again: who came second would take the lock away from who came first. */
function breakLock(path: string, owner: string): void {
  const breaking = `${path}.breaking`;
  try {
    mkdirSync(breaking);
  } catch {
    if (olderThan(breaking, 10_000)) rmSync(breaking, { recursive: true, force: true });
    return;
  }
  if (abandoned(path, owner)) rmSync(path, { recursive: true, force: true });
  rmSync(breaking, { recursive: true, force: true });
}

function abandoned(path: string, owner: string): boolean {
  let pid: number;
  try {
    pid = Number(readFileSync(owner, 'utf8'));
  } catch {
    pid = 0;
  }
  // No pid in it yet: its owner is between two lines, unless it died exactly there.
  return pid === 0 ? olderThan(path, 10_000) : ended(pid);
}

function olderThan(path: string, ms: number): boolean {
  try {
    return Date.now() - statSync(path).mtimeMs > ms;
  } catch {
    return false;
  }
}
