/** A Constraint of Gatekeeper: its match and its parameters, in the words of a PolicyRule. */
import { isRecord } from '../../runtime/json.ts';
import { parameterCheck } from '../parameters.ts';
import type { PolicyRule } from '../policyrule/types.gen.ts';
import { describeProblem } from '../problems.ts';
import { labelOf, listOf, refuse, textOf, within, type Loose } from './objects.ts';
import type { Template } from './template.ts';

export interface Constraint {
  name: string;
  match: PolicyRule['spec']['match'];
  parameters: Loose;
  /** undefined where there is none, or where the parameters have fields that it does not know */
  schema: Loose | undefined;
  warnings: readonly string[];
}

const MATCH: ReadonlySet<string> = new Set([
  'source',
  'kinds',
  'scope',
  'namespaces',
  'excludedNamespaces',
  'labelSelector',
  'namespaceSelector',
  'name',
]);

/** Throws GatorError for what Gatekeeper would refuse, and for what has no meaning here. */
export function readConstraint(object: Loose, template: Template): Constraint {
  const label = labelOf(object);
  const name = textOf(within(object, 'metadata')['name']);
  if (name === undefined) refuse(`${label}: metadata.name`, 'is required');
  if (object['kind'] !== template.kind)
    refuse(`${label}: kind`, `is none of template ${template.name}`, `accepted: ${template.kind}`);
  const spec = within(object, 'spec');
  return {
    name,
    match: matchOf(within(spec, 'match'), `${label}: spec.match`, template),
    ...parametersOf(spec['parameters'], template, label),
  };
}

function matchOf(match: Loose, path: string, { operations }: Template): Constraint['match'] {
  const stranger = Object.keys(match).find((field) => !MATCH.has(field));
  if (stranger !== undefined)
    refuse(`${path}.${stranger}`, 'has no counterpart', `accepted: ${[...MATCH].join(', ')}`);
  const { source = 'All', kinds, scope, ...rest } = match;
  if (source !== 'All' && source !== 'Original')
    refuse(
      `${path}.source`,
      'objects that an expansion makes are not judged here',
      'accepted: All, Original',
    );
  const entries = listOf(kinds).map((entry) => ({
    apiGroups: orAny(within(entry)['apiGroups']),
    kinds: orAny(within(entry)['kinds']),
  }));
  const converted = {
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null && value !== '')),
    kinds: entries.length === 0 ? [{ apiGroups: ['*'], kinds: ['*'] }] : entries,
    scope: scope === 'Namespaced' || scope === 'Cluster' ? scope : '*',
    operations: operations ?? ['CREATE', 'UPDATE'],
  };
  return converted as Constraint['match'];
}

function orAny(list: unknown): readonly unknown[] {
  const given = listOf(list);
  return given.length === 0 || given.includes('*') ? ['*'] : given;
}

function parametersOf(
  given: unknown,
  { schema }: Template,
  label: string,
): Pick<Constraint, 'parameters' | 'schema' | 'warnings'> {
  if (given !== undefined && given !== null && !isRecord(given))
    refuse(`${label}: spec.parameters`, 'is no object', 'accepted: an object');
  const { problems } = parameterCheck(schema).check(given ?? undefined);
  const parameters = given ?? {};
  // Gatekeeper hands unknown fields on to the Rego code.
  const unknown = problems.filter(({ code }) => code === 'FieldValueForbidden');
  const wrong = problems.find((problem) => !unknown.includes(problem));
  if (wrong !== undefined) refuse(label, `spec.${describeProblem(wrong)}`);
  if (unknown.length === 0) return { parameters, schema, warnings: [] };
  const warnings = unknown.map(
    (problem) =>
      `${label}: spec.${describeProblem(problem)}; carried over without the template's schema: take the field out, or add it to the schema`,
  );
  return { parameters, schema: undefined, warnings };
}
