/** The operator as the image has it: compiled, started by bin/cogniforge.js, without the cost of stripping types. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APP_FILES } from '../../../scripts/image/contents.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** Path of its command; the caller removes the folder that holds `bin`. */
export function buildApp(): { folder: string; command: string } {
  const folder = mkdtempSync(join(tmpdir(), 'cogniforge-app-'));
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const project = join(ROOT, 'tsconfig.build.json');
  execFileSync(process.execPath, [tsc, '--project', project, '--outDir', join(folder, 'dist')]);
  for (const file of APP_FILES) cpSync(join(ROOT, file), join(folder, file), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return { folder, command: join(folder, 'bin', 'cogniforge.js') };
}
