#!/usr/bin/env node
// Checks the Node version with syntax that every Node reads, then runs the command: compiled where it was built, from
// source in a checkout.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `cogniforge needs Node >= 22.19; this is ${process.versions.node}. In a checkout, npm start brings its own.`,
  );
  process.exit(2);
}
// What V8 takes only at its start (docs/decisions/0003-memory.md). The process replaces itself, so that whoever started
// it still signals and waits for the right one. Short commands do without.
const { nodeFlags } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).config;
const wanted = nodeFlags.filter((flag) => !process.execArgv.includes(flag));
if (process.argv[2] === 'controller' && wanted.length > 0 && process.platform !== 'win32') {
  const own = fileURLToPath(import.meta.url);
  const quiet = '--disable-warning=ExperimentalWarning';
  process.removeAllListeners('warning');
  process.execve(process.execPath, [
    process.execPath,
    ...process.execArgv,
    quiet,
    ...wanted,
    own,
    ...process.argv.slice(2),
  ]);
}
const built = new URL('../dist/cli.js', import.meta.url);
await import(existsSync(built) ? built.href : new URL('../src/cli.ts', import.meta.url).href);
