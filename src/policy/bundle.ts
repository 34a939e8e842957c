/** Takes the module out of the bundle (tar.gz) that `opa build -t wasm` writes. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { CompileError } from './problems.ts';

/** A policy's module has 130 KB and up; nobody's rule needs this. */
const MAX_MODULE = 32 * 2 ** 20;

/** The bytes of policy.wasm. Throws CompileError when the bundle has none. */
export async function readModule(bundle: string): Promise<Uint8Array<ArrayBuffer>> {
  const archive = extract();
  const [, module] = await Promise.all([
    pipeline(createReadStream(bundle), createGunzip(), archive),
    moduleIn(archive as unknown as AsyncIterable<Entry>),
  ]);
  if (module === undefined)
    throw new CompileError([{ code: 'no_module', message: 'opa built a bundle without policy.wasm' }]);
  return module;
}

async function moduleIn(entries: AsyncIterable<Entry>): Promise<Uint8Array<ArrayBuffer> | undefined> {
  let module: Uint8Array<ArrayBuffer> | undefined;
  for await (const entry of entries) {
    if (entry.header.name.replace(/^\//, '') === 'policy.wasm') module = await bytesOf(entry);
    else entry.resume();
  }
  return module;
}

type Entry = Readable & { header: { name: string } };

async function bytesOf(entry: Readable): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of entry as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_MODULE) {
      throw new CompileError([
        { code: 'too_large', message: `the compiled rule has more than ${String(MAX_MODULE >> 20)} MiB` },
      ]);
    }
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
