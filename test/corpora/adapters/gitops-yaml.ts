/** 30 texts as kubectl reads them, through the loader of manifests. */
import { deepEqual, parseJson, stringifyJson } from '../../../src/runtime/json.ts';
import { YamlError } from '../../../src/runtime/yaml.ts';
import { ManifestError, parseManifests } from '../../../src/runtime/yaml/objects.ts';
import { agree, disagree, readCases, type Adapter } from '../adapter.ts';

interface Case {
  id: string;
  yaml: string;
  expect: { json: unknown; jsonText?: string } | { error: true; why: string };
}

export const adapter: Adapter<Case> = {
  name: 'gitops/yaml',
  path: 'gitops/yaml.ndjson',
  load: (path) => Promise.resolve(readCases<Case>(path)),
  judge({ yaml, expect }) {
    const read = readManifests(yaml);
    if ('error' in expect) return read instanceof Error ? agree : disagree(`was read, but: ${expect.why}`);
    if (read instanceof Error) return disagree(read.message);
    const wanted = expect.jsonText === undefined ? expect.json : parseJson(expect.jsonText);
    return deepEqual(read, wanted) ? agree : disagree(stringifyJson(read));
  },
};

/** Only a refusal is an answer: any other error is a defect, and not caught. */
function readManifests(yaml: string): unknown[] | Error {
  try {
    return parseManifests(yaml);
  } catch (error) {
    if (error instanceof YamlError || error instanceof ManifestError) return error;
    throw error;
  }
}
