/** The Go program we are measured against, built once for each content of its files. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtTool, cacheFolder } from '../cluster/tools.ts';

const FOLDER = join(import.meta.dirname, 'peers', 'controller-runtime');

/** Path of the binary. */
export async function peerBinary(say: (line: string) => void): Promise<string> {
  const hash = createHash('sha256');
  for (const name of readdirSync(FOLDER).toSorted())
    hash.update(name).update(readFileSync(join(FOLDER, name)));
  const spec = {
    name: 'bench-peer',
    module: FOLDER,
    package: '.',
    ldflags: `-s -w -X main.source=${hash.digest('hex').slice(0, 16)}`,
    probe: ['-h'],
    expectedSeconds: 60,
  };
  return builtTool(spec, cacheFolder(), say);
}
