/** What a real node needs of the machine, told exactly where it is missing, and installed where that is wanted. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Lack {
  what: string;
  /** the Debian package that brings it; undefined when no package does */
  debianPackage?: string;
}

export interface Machine {
  platform: string;
  uid: number | undefined;
  hasCommand: (name: string) => boolean;
  hasFile: (path: string) => boolean;
  /** file systems the kernel knows */
  filesystems: string;
}

const COMMANDS: readonly (readonly [command: string, debianPackage: string])[] = [
  ['containerd', 'containerd'],
  ['containerd-shim-runc-v2', 'containerd'],
  ['ctr', 'containerd'],
  ['runc', 'runc'],
  ['iptables-restore', 'iptables'],
  ['ip6tables-restore', 'iptables'],
  ['conntrack', 'conntrack'],
  ['ip', 'iproute2'],
  ['unshare', 'util-linux'],
  ['nsenter', 'util-linux'],
  ['mount', 'mount'],
];

const PLUGINS = ['ptp', 'host-local', 'portmap', 'loopback'];
const DEBIAN_PLUGINS = '/usr/lib/cni';
/** Where the project's own releases are unpacked to. */
const RELEASED_PLUGINS = '/opt/cni/bin';
/** Not in the PATH of every user, and root's PATH is not always root's. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

export function thisMachine(): Machine {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return {
    platform: process.platform,
    uid: process.getuid?.(),
    hasCommand: (name) => folders.some((folder) => executable(join(folder, name))),
    hasFile: existsSync,
    filesystems: existsSync('/proc/filesystems') ? readFileSync('/proc/filesystems', 'utf8') : '',
  };
}

/** Everything that is missing, in one go. */
export function missing(machine: Machine): Lack[] {
  if (machine.platform !== 'linux') return [{ what: `Linux (this is ${machine.platform})` }];
  const lacks: Lack[] = machine.uid === 0 ? [] : [{ what: 'to be root: namespaces and mounts are made' }];
  for (const [command, debianPackage] of COMMANDS)
    if (!machine.hasCommand(command)) lacks.push({ what: command, debianPackage });
  if (pluginFolder(machine) === undefined)
    for (const plugin of PLUGINS.filter((name) => !machine.hasFile(join(DEBIAN_PLUGINS, name))))
      lacks.push({ what: `the CNI plugin ${plugin}`, debianPackage: 'containernetworking-plugins' });
  if (!/\boverlay$/m.test(machine.filesystems))
    lacks.push({ what: 'the overlay file system in the kernel (modprobe overlay)' });
  return lacks;
}

/** The folder that holds every CNI plugin: containerd looks in one only. */
export function pluginFolder(machine: Machine = thisMachine()): string | undefined {
  return [DEBIAN_PLUGINS, RELEASED_PLUGINS].find((folder) =>
    PLUGINS.every((plugin) => machine.hasFile(join(folder, plugin))),
  );
}

/** Empty when nothing is missing. */
export function explain(lacks: readonly Lack[]): string {
  if (lacks.length === 0) return '';
  const lines = lacks.map(
    ({ what, debianPackage }) =>
      `  ${what}${debianPackage === undefined ? '' : ` (Debian package ${debianPackage})`}`,
  );
  const packages = packagesOf(lacks);
  const advice =
    packages.length === 0
      ? []
      : [
          'get it as root: npm run cluster -- requirements --install',
          `or: apt-get install ${packages.join(' ')}`,
        ];
  return ['a real node needs, and does not find here:', ...lines, ...advice].join('\n');
}

export function packagesOf(lacks: readonly Lack[]): string[] {
  return [...new Set(lacks.flatMap(({ debianPackage }) => debianPackage ?? []))];
}

/** Only the packages of what is missing: Docker's own containerd, where it is installed, would be replaced by Debian's. */
export function install(lacks: readonly Lack[]): void {
  const packages = packagesOf(lacks);
  if (packages.length === 0) return;
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', ...packages]]) {
    const { status, error } = spawnSync('apt-get', args, {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (error !== undefined || status !== 0)
      throw new Error(`apt-get ${args.join(' ')} failed: ${error?.message ?? 'see above'}`);
  }
}

/** The PATH the programs of a node run with. */
export function systemPath(): string {
  return [process.env['PATH'] ?? '', ...SYSTEM_FOLDERS].join(delimiter);
}

function executable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
