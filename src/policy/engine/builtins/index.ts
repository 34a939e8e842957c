/** The builtins that OPA's Wasm modules leave to their host, by family. */
import { type Builtin, type Family, forgiving } from './builtin.ts';
import { casts } from './casts.ts';
import { crypto } from './crypto.ts';
import { encoding } from './encoding.ts';
import { graph } from './graph.ts';
import { json } from './json.ts';
import { net } from './net.ts';
import { numbers } from './numbers.ts';
import { objects } from './objects.ts';
import { regex } from './regex.ts';
import { schemas } from './schemas.ts';
import { semver } from './semver.ts';
import { sprintf } from './sprintf.ts';
import { strings } from './strings.ts';
import { time } from './time.ts';
import { units } from './units.ts';
import { uri } from './uri.ts';
import { uuid } from './uuid.ts';
import { x509 } from './x509.ts';
import { yaml } from './yaml.ts';

export type { Builtin, BuiltinContext } from './builtin.ts';

const FAMILIES: readonly Family[] = [
  { sprintf },
  casts,
  crypto,
  encoding,
  graph,
  json,
  net,
  numbers,
  objects,
  regex,
  schemas,
  semver,
  strings,
  time,
  units,
  uri,
  uuid,
  x509,
  yaml,
];

export const hostBuiltins: ReadonlyMap<string, Builtin> = new Map(
  FAMILIES.flatMap((family) => Object.entries(family)).map(([name, builtin]) => [name, forgiving(builtin)]),
);
