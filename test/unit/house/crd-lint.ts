/** What every CRD of ours owes to whoever reads it with kubectl: pure, from a CRD to the list of what is amiss. */
import { storedVersion } from '../../../src/runtime/schema.ts';
import type { CustomResourceDefinition, CustomResourceVersion, Schema } from '../../../src/runtime/schema.ts';
import { fieldProblems, type Complaint } from './crd-lint-fields.ts';

/** A rule that does not hold for one path of one kind, for a reason worth writing down. */
export interface Exception {
  kind: string;
  path: string;
  rule: string;
  why: string;
}

/** `file path: what; remedy`, one of each problem. An exception that excuses nothing is a problem, too. */
export function lintCrd(
  file: string,
  crd: CustomResourceDefinition,
  exceptions: readonly Exception[] = [],
): string[] {
  const stored = storedVersion(crd);
  const complaints = [
    ...identityProblems(crd, stored),
    ...columnProblems(stored),
    ...rootProblems(stored.schema.openAPIV3Schema),
    ...fieldProblems(stored.schema.openAPIV3Schema),
  ];
  const own = exceptions.filter(({ kind }) => kind === crd.spec.names.kind);
  const excuses = ({ path, rule }: Exception, complaint: Complaint): boolean =>
    path === complaint.path && rule === complaint.rule;
  const left = complaints.filter((complaint) => !own.some((exception) => excuses(exception, complaint)));
  const stale = own
    .filter((exception) => !complaints.some((complaint) => excuses(exception, complaint)))
    .map(({ path, rule }) => ({
      path,
      what: `the exception of ${rule} excuses nothing`,
      remedy: 'delete it',
    }));
  return [...left, ...stale].map(({ path, what, remedy }) => `${file} ${path}: ${what}; ${remedy}`);
}

function identityProblems(
  { spec: { group, names } }: CustomResourceDefinition,
  stored: CustomResourceVersion,
): Complaint[] {
  const problems: Complaint[] = [];
  const complain = (rule: string, path: string, what: string, remedy: string): void => {
    problems.push({ rule, path, what, remedy });
  };
  if (group !== 'cogniforge.dev' || stored.name !== 'v1alpha1')
    complain('group', 'spec.group', `${group}/${stored.name}`, 'all our kinds are cogniforge.dev/v1alpha1');
  if (names.categories?.includes('cogniforge') !== true)
    complain(
      'category',
      'spec.names.categories',
      'cogniforge is missing',
      'kubectl get cogniforge shows all kinds',
    );
  if ((names.shortNames ?? []).length === 0)
    complain('short-names', 'spec.names.shortNames', 'there is none', 'give one that is quick to type');
  if (names.singular !== names.kind.toLowerCase())
    complain(
      'singular',
      'spec.names.singular',
      names.singular,
      `it names the folder: ${names.kind} in lower case`,
    );
  if (stored.subresources?.status === undefined)
    complain(
      'status-subresource',
      'spec.versions[].subresources',
      'there is no status',
      'status: {} keeps users from writing what the operator knows',
    );
  return problems;
}

const COLUMNS = [
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
] as const;

function columnProblems({
  additionalPrinterColumns: columns = [],
  schema,
}: CustomResourceVersion): Complaint[] {
  const problems: Complaint[] = [];
  const complain = (rule: string, what: string, remedy: string): void => {
    problems.push({ rule, path: 'spec.versions[].additionalPrinterColumns', what, remedy });
  };
  for (const { name, type, jsonPath } of COLUMNS) {
    const column = columns.find((candidate) => candidate.name === name);
    if (column?.type !== type || column.jsonPath !== jsonPath)
      complain('columns', `no column ${name}`, `{name: ${name}, type: ${type}, jsonPath: ${jsonPath}}`);
  }
  if (!columns.some(({ type }) => type === 'integer' || type === 'number'))
    complain('columns', 'no column of a number', 'show the one number that the kind is about');
  if (columns.some(({ name }) => name === 'Age') && columns.at(-1)?.name !== 'Age')
    complain('columns', 'Age is not the last column', 'kubectl has it last everywhere');
  for (const { name, jsonPath } of columns)
    if (!shows(schema.openAPIV3Schema, jsonPath))
      complain('columns', `${name} shows ${jsonPath}, which is no field`, 'name a field of the schema');
  return problems;
}

/** Whether a path of plain names and one condition leads to a field; metadata is every object's own. */
function shows(root: Schema, jsonPath: string): boolean {
  if (jsonPath.startsWith('.metadata.')) return true;
  let at: Schema | undefined = root;
  for (const [, name = '', inList] of jsonPath.matchAll(/\.([A-Za-z0-9]+)(\[[^\]]*\])?/g)) {
    at = at?.properties?.[name];
    if (inList !== undefined) at = at?.items;
  }
  return at !== undefined;
}

function rootProblems({ properties: { spec, status } = {}, required = [] }: Schema): Complaint[] {
  const problems: Complaint[] = [];
  const complain = (rule: string, path: string, what: string, remedy: string): void => {
    problems.push({ rule, path, what, remedy });
  };
  if (spec === undefined || !required.includes('spec'))
    complain('spec', 'spec', 'it may be left out', 'require spec: an object without one says nothing');
  const suspend = spec?.properties?.['suspend'];
  if (suspend?.type !== 'boolean' || suspend.default !== false)
    complain(
      'suspend',
      'spec.suspend',
      'it is missing, or not false by default',
      'suspend: {type: boolean, default: false}, to stop one object without deleting it',
    );
  if (JSON.stringify(status?.default) !== '{"observedGeneration":-1}')
    complain(
      'status-default',
      'status',
      'its default is not {observedGeneration: -1}',
      'without it kstatus takes an object for done before anybody has looked',
    );
  const { observedGeneration, conditions } = status?.properties ?? {};
  if (observedGeneration?.type !== 'integer' || observedGeneration.minimum !== -1)
    complain('status-fields', 'status.observedGeneration', 'it is no integer from -1', 'minimum: -1');
  if (conditions?.['x-kubernetes-list-map-keys']?.join() !== 'type')
    complain('status-fields', 'status.conditions', 'no map by type', 'x-kubernetes-list-map-keys: [type]');
  return problems;
}
