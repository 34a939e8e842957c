/** Images of our own: one static program each, built with the Go toolchain, written as an archive. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { writeImage } from '../../../scripts/image/archive.ts';
import { builtTool, cacheFolder, type ToolSpec } from '../tools.ts';

export interface ProgramImage {
  /** `registry/name:tag`; a tag that is not `latest` is never asked of a registry once it is imported */
  reference: string;
  /** a Go module whose root is the command, or the path of a static binary */
  program: { module: string } | { binary: string };
}

type Say = (line: string) => void;

/** Writes the archive `target`. The program has to exit with 0 when it is run with `--version`. */
export async function writeProgramImage(image: ProgramImage, target: string, say: Say): Promise<void> {
  const binary = 'binary' in image.program ? image.program.binary : await built(image.program.module, say);
  const scratch = mkdtempSync(join(tmpdir(), 'cogniforge-image-'));
  try {
    const root = join(scratch, 'root');
    mkdirSync(root);
    const name = basename(binary);
    copyFileSync(binary, join(root, name));
    await writeImage(
      {
        reference: image.reference,
        architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
        layers: [{ title: name, folder: root }],
        config: { Entrypoint: [`/${name}`], User: '65532:65532' },
      },
      target,
      scratch,
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function built(module: string, say: Say): Promise<string> {
  const spec: ToolSpec = {
    name: basename(module),
    module,
    package: '.',
    ldflags: '-s -w',
    probe: ['--version'],
    expectedSeconds: 5,
  };
  return builtTool(spec, cacheFolder(), say);
}
