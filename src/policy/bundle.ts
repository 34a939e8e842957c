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
  let module: Uint8Array<ArrayBuffer> | undefined;
  await pipeline(createReadStream(bundle), createGunzip(), extract(), async (entries: AsyncIterable<Entry>) => {
    for await (const entry of entries) {
      if (entry.header.name.replace(/^\//, '') === 'policy.wasm') module = await bytesOf(entry);
      else entry.resume();
    }
  });
  if (module === undefined) throw new CompileError([{ code: 'no_module', message: 'opa built a bundle without policy.wasm' }]);
  return module;
}

type Entry = Readable & { header: { name: string } };

async function bytesOf(entry: Readable): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of entry as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_MODULE) {
      throw new CompileError([{ code: 'too_large', message: `the compiled rule has more than ${String(MAX_MODULE >> 20)} MiB` }]);
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
