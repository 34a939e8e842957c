/** Reads crds/*.yaml: anchors and merge keys are expanded, so that what is generated is plain JSON. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CustomResourceDefinition } from '../../src/runtime/schema.ts';
import { parseYamlDocument } from '../../src/runtime/yaml.ts';

export interface CrdFile {
  /** the file's name without its folder */
  file: string;
  crd: CustomResourceDefinition;
  /** the folder under src/ */
  service: string;
}

/** Names the service folder that a kind lives in. */
const SERVICE = 'cogniforge.dev/service';

export function parseCrd(text: string, file: string): CrdFile {
  const crd = parseYamlDocument(text, { file }) as Partial<CustomResourceDefinition> | undefined;
  if (crd?.kind !== 'CustomResourceDefinition' || crd.spec === undefined || crd.metadata === undefined) {
    throw new Error(`${file}: expected one CustomResourceDefinition with metadata and spec`);
  }
  const service = crd.metadata.annotations?.[SERVICE];
  if (service === undefined || !/^[a-z]+$/.test(service)) {
    throw new Error(`${file}: metadata.annotations["${SERVICE}"] must name the kind's folder under src/`);
  }
  return { file, crd: crd as CustomResourceDefinition, service };
}

/** All CRDs of a folder, by file name. */
export function readCrds(folder: string): CrdFile[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => parseCrd(readFileSync(join(folder, file), 'utf8'), file));
}
