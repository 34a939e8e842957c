/** What goes into the image, as one folder per layer, each as small as it can be while everything in it still runs. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { toolPath } from '../../test/cluster/tools.ts';
import type { Layer } from './archive.ts';
import { APP_FILES, LEFT_OUT, NPM_FLAGS } from './contents.ts';
import { npmBom, type Component } from './sbom.ts';

type Say = (line: string) => void;

/** What a dynamically linked Node needs of Debian, and the certificate authorities of the web for git and OIDC. */
const BASE_PACKAGES = ['libc6', 'libgcc-s1', 'libstdc++6', 'ca-certificates'];
/** Kept of `libc6`: the loader and the libraries. The rest is for other locales and character sets. */
const BASE_FILES = /^(lib|lib64|usr\/lib)\/(?!.*\/(gconv|audit)\/).*\.so[.\d]*$/;
/** The user of distroless images. Nothing in the image belongs to it: it may only write where a volume is mounted. */
const USERS =
  'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n';
const GROUPS = 'root:x:0:\nnonroot:x:65532:\n';

/**
 * Resolves with the layers, lowest (changing least often) first, and what is in them beside npm's packages, whose bill of
 * materials it writes to `bom`. Throws with the output of the command that failed.
 */
export async function buildLayers(
  root: string,
  scratch: string,
  bom: string,
  say: Say,
): Promise<{ layers: Layer[]; components: Component[] }> {
  const folder = (name: string): string => {
    const path = join(scratch, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const packages = folder('packages');
  const layers = [
    { title: `base: ${BASE_PACKAGES.join(', ')}`, folder: base(folder('base'), packages, say) },
    { title: `node ${process.versions.node}`, folder: node(folder('node')) },
    { title: 'opa', folder: await binaries(folder('opa'), ['opa'], say) },
    { title: 'cogniforge', folder: application(root, folder('application'), bom, say) },
  ];
  return { layers, components: [...debianComponents(packages), ...programs(root)] };
}

function debianComponents(packages: string): Component[] {
  const files = readdirSync(packages).filter((name) => name.endsWith('.deb'));
  return files.toSorted().map((file) => {
    const format = '--showformat=${Package} ${Version} ${Architecture}';
    const [name = '', version = '', arch = ''] = run('dpkg-deb', ['--show', format, file], packages).split(
      ' ',
    );
    const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${arch}`;
    return { type: 'library', name, version, purl };
  });
}

function programs(root: string): Component[] {
  const opa = 'github.com/open-policy-agent/opa';
  const pins = readFileSync(join(root, 'test', 'cluster', 'tools', 'opa', 'go.mod'), 'utf8');
  const opaVersion =
    pins.split(/\s+/).find((_, at, words) => words[at - 1] === opa && words[at - 2] !== 'tool') ?? '';
  const { node: version } = process.versions;
  return [
    { type: 'application', name: 'node', version, purl: `pkg:generic/node@${version}` },
    { type: 'application', name: 'opa', version: opaVersion, purl: `pkg:golang/${opa}@${opaVersion}` },
  ];
}

function base(target: string, packages: string, say: Say): string {
  say(`fetching ${BASE_PACKAGES.join(', ')} from Debian ...`);
  run('apt-get', ['download', ...BASE_PACKAGES], packages);
  const unpacked = join(packages, 'unpacked');
  for (const file of readdirSync(packages).filter((name) => name.endsWith('.deb')))
    run('dpkg-deb', ['--extract', file, unpacked], packages);
  const files = readdirSync(unpacked, { recursive: true, encoding: 'utf8' }).filter((path) =>
    BASE_FILES.test(path),
  );
  for (const path of files)
    cpSync(join(unpacked, path), join(target, path), { recursive: true, verbatimSymlinks: true });
  const authorities = join(unpacked, 'usr', 'share', 'ca-certificates', 'mozilla');
  const bundle = readdirSync(authorities)
    .toSorted()
    .map((name) => readFileSync(join(authorities, name), 'utf8'))
    .join('');
  for (const [path, text] of [
    ['etc/ssl/certs/ca-certificates.crt', bundle],
    ['etc/passwd', USERS],
    ['etc/group', GROUPS],
    ['etc/nsswitch.conf', 'hosts: files dns\n'],
  ] as const) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), text);
  }
  mkdirSync(join(target, 'tmp'));
  mkdirSync(join(target, 'home', 'nonroot'), { recursive: true });
  return target;
}

function node(target: string): string {
  install(process.execPath, target, 'node');
  return target;
}

async function binaries(target: string, names: readonly string[], say: Say): Promise<string> {
  for (const name of names) install(await toolPath(name, say), target, name);
  return target;
}

function install(file: string, target: string, name: string): void {
  const folder = join(target, 'usr', 'bin');
  mkdirSync(folder, { recursive: true });
  copyFileSync(file, join(folder, name));
  chmodSync(join(folder, name), 0o755);
}

/** Compiled JavaScript with its production dependencies; the pod's own token needs no credential plugin. */
function application(root: string, target: string, bom: string, say: Say): string {
  const app = join(target, 'app');
  mkdirSync(app, { recursive: true });
  say('compiling ...');
  run('tsc', ['--project', join(root, 'tsconfig.build.json'), '--outDir', join(app, 'dist')], root);
  for (const name of APP_FILES) cpSync(join(root, name), join(app, name), { recursive: true });
  say('installing production dependencies ...');
  run('npm', ['ci', ...NPM_FLAGS], app);
  run('npm', ['uninstall', LEFT_OUT, ...NPM_FLAGS], app);
  npmBom(root, app, bom);
  rmSync(join(app, 'node_modules', '.package-lock.json'));
  for (const path of readdirSync(join(app, 'node_modules'), { recursive: true, encoding: 'utf8' }))
    if (
      /\.(d\.[cm]?ts|[cm]?ts|map|md|markdown|flow)$/i.test(path) ||
      /\/(test|tests|docs|benchmarks?)$/.test(path)
    )
      rmSync(join(app, 'node_modules', path), { recursive: true, force: true });
  return target;
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error !== undefined)
    throw new Error(
      `${command} is needed to write the image here (${error.message}); deploy/Dockerfile needs only Docker`,
    );
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}
