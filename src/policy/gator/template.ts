/** A ConstraintTemplate of Gatekeeper, as far as its Rego, its parameters and its operations go. */
import type { PolicySource } from '../compiler.ts';
import { parameterCheck } from '../parameters.ts';
import { describeProblem } from '../problems.ts';
import { groupOf, labelOf, listOf, refuse, textOf, within, type Loose } from './objects.ts';
import { structural } from './schema.ts';

export interface Template {
  name: string;
  /** the kind of its constraints */
  kind: string;
  source: PolicySource & { kind: 'rego' };
  /** of the parameters; undefined where the template has none, or one that cannot be checked here */
  schema: Loose | undefined;
  /** of spec.targets[].operations; undefined is Gatekeeper's default */
  operations: readonly string[] | undefined;
  /** what the template is for, in its annotations */
  description: string | undefined;
  /** what is left out of it, where and what to do */
  warnings: readonly string[];
}

const TARGET = 'admission.k8s.gatekeeper.sh';

export function isTemplate(object: Loose): boolean {
  return object['kind'] === 'ConstraintTemplate' && groupOf(object) === 'templates.gatekeeper.sh';
}

export function isConstraint(object: Loose): boolean {
  return groupOf(object) === 'constraints.gatekeeper.sh';
}

/** Throws GatorError for what has no meaning here. */
export function readTemplate(object: Loose): Template {
  const label = labelOf(object);
  const { name, annotations } = within(object, 'metadata');
  const kind = textOf(within(object, 'spec', 'crd', 'spec', 'names')['kind']);
  if (kind === undefined) refuse(`${label}: spec.crd.spec.names.kind`, 'is required');
  const [target, ...others] = listOf(within(object, 'spec')['targets']);
  const path = `${label}: spec.targets`;
  if (others.length > 0) refuse(`${path}[1]`, 'a template has one target here', 'make a template of each');
  const meant = within(target)['target'];
  if (meant !== TARGET)
    refuse(`${path}[0].target`, `is ${JSON.stringify(meant ?? null)}`, `accepted: ${TARGET}`);
  const { schema, warnings } = schemaOf(object, label);
  return {
    name: textOf(name) ?? kind.toLowerCase(),
    kind,
    source: sourceOf(within(target), `${path}[0]`),
    schema,
    operations: operationsOf(within(target)['operations']),
    description: textOf(within({ annotations }, 'annotations')['description']),
    warnings,
  };
}

/** The Rego of `code` wins over the older `rego` and `libs`, as in Gatekeeper. */
function sourceOf(target: Loose, path: string): Template['source'] {
  const code = listOf(target['code']).map((entry) => within(entry));
  const at = code.findIndex(({ engine }) => engine === 'Rego');
  if (at >= 0) {
    const source = within(code[at], 'source');
    const regoVersion = source['version'] === 'v1' ? 'V1' : 'V0';
    return { ...textsOf(source, `${path}.code[${String(at)}].source`), regoVersion };
  }
  if (code.length > 0 && textOf(target['rego']) === undefined) {
    const engines = code.map(({ engine }) => String(engine)).join(', ');
    refuse(`${path}.code`, `has no Rego, only ${engines}`, 'add a code entry with engine: Rego');
  }
  return { ...textsOf(target, path), regoVersion: 'V0' };
}

function textsOf(source: Loose, path: string): { kind: 'rego'; rego: string; libs: string[] } {
  const rego = textOf(source['rego']);
  if (rego === undefined) refuse(`${path}.rego`, 'is required');
  const libs = listOf(source['libs']).map((lib, at) => {
    const text = textOf(lib);
    return text ?? refuse(`${path}.libs[${String(at)}]`, 'is no Rego module');
  });
  return { kind: 'rego', rego, libs };
}

function operationsOf(value: unknown): string[] | undefined {
  const given = listOf(value).map(String);
  if (given.length === 0) return undefined;
  return given.includes('*') ? ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] : given;
}

function schemaOf(object: Loose, label: string): Pick<Template, 'schema' | 'warnings'> {
  const { openAPIV3Schema } = within(object, 'spec', 'crd', 'spec', 'validation');
  if (openAPIV3Schema === undefined || openAPIV3Schema === null) return { schema: undefined, warnings: [] };
  const schema = structural(openAPIV3Schema);
  const [problem] = parameterCheck(schema).problems;
  if (problem === undefined) return { schema, warnings: [] };
  const place = 'spec.crd.spec.validation.openAPIV3Schema';
  const what = describeProblem(problem).replace(/^parametersSchema/, place);
  return {
    schema: undefined,
    warnings: [
      `${label}: ${what}; the parameters are carried over unchecked: write spec.parametersSchema by hand`,
    ],
  };
}
