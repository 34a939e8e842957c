#!/usr/bin/env node
// Runs on any Node >= 20 without node_modules: installs them when the lock file changed, then runs the script it is
// given with the Node of node_modules. `node scripts/bootstrap.mjs SCRIPT [ARGS]`
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');
const stamp = join(root, 'node_modules', '.lock-hash');
// The lock file brings a Node for Linux; elsewhere the one that runs this must do (bin/cogniforge.js says which).
const brought = join(bin, 'node');

function installed() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const have = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  if (have === wanted) return;
  console.log('installing dependencies (npm ci; about 20 s) ...');
  const started = Date.now();
  const npm = spawnSync('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (npm.status !== 0) {
    console.error('npm ci failed: see above. Is the npm registry reachable?');
    process.exit(npm.status ?? 1);
  }
  writeFileSync(stamp, wanted);
  console.log(`dependencies installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

installed();
const node = existsSync(brought) ? brought : process.execPath;
const child = spawn(node, ['--disable-warning=ExperimentalWarning', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` },
});
// Ctrl-C reaches the whole foreground group; what is sent to us alone is handed on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT') child.kill(signal);
  });
}
child.on('exit', (code, signal) => {
  process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
});
