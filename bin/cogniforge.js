#!/usr/bin/env node
// Checks the Node version with syntax that every Node reads, then runs the command: compiled where it was built, from
// source in a checkout.
import { existsSync } from 'node:fs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `cogniforge needs Node >= 22.19; this is ${process.versions.node}. In a checkout, npm start brings its own.`,
  );
  process.exit(2);
}
const built = new URL('../dist/cli.js', import.meta.url);
await import(existsSync(built) ? built.href : new URL('../src/cli.ts', import.meta.url).href);
