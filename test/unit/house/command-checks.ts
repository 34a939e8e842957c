/** What can be wrong with a command of a document, as far as it can be told without a cluster. */
import { Ajv } from 'ajv';
import type { Schema } from '../../../src/runtime/schema.ts';

export interface Facts {
  /** whether the checkout holds this path or pattern */
  exists: (path: string) => boolean;
  /** top-level folders of the checkout */
  folders: readonly string[];
  /** what commands write */
  outputs: readonly string[];
  scripts: readonly string[];
  /** of the chart */
  values: object;
  /** by each word that kubectl knows a kind of ours by: its whole schema */
  kinds: ReadonlyMap<string, Schema>;
  /** what a program says for --help, undefined where it does not know the subcommand */
  help: (program: 'helm' | 'kubectl', words: readonly string[]) => string | undefined;
  /** what `cogniforge` prints without arguments */
  usage: string;
}

/** Words of kubectl for the kinds of Kubernetes that an operator's documents speak of. */
const BUILTIN = new Set(
  `all clusterroles clusterrole clusterrolebindings configmaps configmap cm crds crd customresourcedefinitions
  customresourcedefinition deployments deployment deploy endpointslices events event ev leases lease namespaces
  namespace ns networkpolicies networkpolicy netpol nodes node no poddisruptionbudgets poddisruptionbudget pdb pods pod po
  replicasets rs roles role rolebindings secrets secret serviceaccounts serviceaccount sa services service svc
  validatingwebhookconfigurations validatingwebhookconfiguration jobs job certificates certificate issuers
  clusterissuers servicemonitors prometheusrules`.split(/\s+/),
);
const TAKES_KIND = /^(?:get|describe|delete|edit|label|annotate|patch|wait|scale|explain)$/;
const TAKES_CHART = /^(?:install|upgrade|template|lint)$/;
const OURS = 'charts/cogniforge';
/** NAME, <name>, $NAME, ... */
const PLACEHOLDER = /^(?:[A-Z][A-Z0-9_-]*|.*[<$…].*|.*\.\.\..*)$/;

export function problemsOf(words: readonly string[], facts: Facts): string[] {
  const [program = '', ...rest] = words;
  switch (program) {
    case 'npm':
      return npmProblems(rest, facts);
    case 'helm':
    case 'kubectl':
      return toolProblems(program, rest, facts);
    case 'cogniforge':
      return ownProblems(rest, facts);
    case 'node':
      return rest[0] === 'bin/cogniforge.js' ? ownProblems(rest.slice(1), facts) : pathProblems(rest, facts);
    default:
      return pathProblems(words, facts);
  }
}

function npmProblems(words: readonly string[], facts: Facts): string[] {
  const [command = '', script = ''] = words.filter((word) => !word.startsWith('-'));
  const wanted = command === 'run' ? script : /^(?:start|test)$/.test(command) ? command : undefined;
  if (wanted === undefined || PLACEHOLDER.test(wanted) || facts.scripts.includes(wanted))
    return pathProblems(words, facts);
  return [`package.json has no script ${wanted}`];
}

function ownProblems(words: readonly string[], facts: Facts): string[] {
  const [command = '', subcommand = ''] = words;
  const known = facts.usage.split('\n').map((line) => line.trim());
  const wanted = command === 'policy' ? `policy ${subcommand}` : command;
  const found = PLACEHOLDER.test(wanted) || known.some((line) => `${line} `.startsWith(`${wanted} `));
  return [...(found ? [] : [`cogniforge has no command ${wanted}`]), ...pathProblems(words, facts)];
}

interface Flag {
  name: string;
  value: string | undefined;
}

interface Parsed {
  subcommand: string[];
  flags: Flag[];
  arguments: string[];
  problems: string[];
}

function toolProblems(program: 'helm' | 'kubectl', words: readonly string[], facts: Facts): string[] {
  const parsed = parse(program, words, facts);
  const [verb = ''] = parsed.subcommand;
  const problems = [...parsed.problems, ...fileProblems(parsed, facts)];
  if (program === 'kubectl' && TAKES_KIND.test(verb)) problems.push(...kindProblems(parsed, facts));
  const ours = parsed.arguments.every((word) => !word.includes('/') || word === OURS);
  if (program === 'helm' && TAKES_CHART.test(verb) && ours) {
    for (const { name, value = '' } of parsed.flags)
      if (/^--set(?:-string|-json|-literal|-file)?$/.test(name))
        problems.push(...setProblems(name, value, facts));
  }
  return problems;
}

/** Subcommand, flags and arguments, told apart by what the program itself says of its flags. */
function parse(program: 'helm' | 'kubectl', words: readonly string[], facts: Facts): Parsed {
  const parsed: Parsed = { subcommand: [], flags: [], arguments: [], problems: [] };
  let known = flagsOf(facts.help(program, []) ?? '');
  const left = [...words];
  for (let word = left.shift(); word !== undefined && word !== '--'; word = left.shift()) {
    if (word.startsWith('-') && word !== '-') {
      const [name, value] = splitOnce(word, '=');
      const takesValue = known.get(name);
      if (takesValue === undefined)
        parsed.problems.push(`${[program, ...parsed.subcommand].join(' ')} has no flag ${name}`);
      parsed.flags.push({ name, value: value ?? (takesValue === true ? left.shift() : undefined) });
      continue;
    }
    const help =
      parsed.arguments.length === 0 ? facts.help(program, [...parsed.subcommand, word]) : undefined;
    if (help === undefined) parsed.arguments.push(word);
    else {
      parsed.subcommand.push(word);
      known = new Map([...known, ...flagsOf(help)]);
    }
  }
  const [first = ''] = parsed.arguments;
  if (parsed.subcommand.length === 0 && first !== '' && !PLACEHOLDER.test(first))
    parsed.problems.push(`${program} has no command ${first}`);
  return parsed;
}

/** Whether each flag takes a value as a word of its own, by the help of pflag (helm) and of kubectl. */
function flagsOf(help: string): Map<string, boolean> {
  const flags = new Map<string, boolean>();
  for (const line of help.split('\n')) {
    const [, short, long = '', kubectl, helm] =
      /^\s+(?:(-\w), )?(--[\w-]+)(?:=(.*):$|(?: (\S+))?(?:\s{2,}|$))/.exec(line) ?? [];
    if (long === '') continue;
    const optional = /^--(?:dry-run|cascade|validate)$/.test(long);
    const value =
      kubectl === undefined
        ? helm !== undefined && !helm.includes('[')
        : !optional && !/^(?:true|false)$/.test(kubectl);
    for (const name of [short, long]) if (name !== undefined) flags.set(name, value);
  }
  return flags;
}

function kindProblems(parsed: Parsed, facts: Facts): string[] {
  const [verb = ''] = parsed.subcommand;
  const [first = ''] = parsed.arguments;
  const byFile = parsed.flags.some(({ name }) => /^(?:-f|-k|--filename|--kustomize)$/.test(name));
  if (first === '') return byFile || verb === 'describe' ? [] : [`kubectl ${verb} needs a kind`];
  return first.split(',').flatMap((word) => {
    const [kind = ''] = word.split('/');
    if (PLACEHOLDER.test(kind)) return [];
    const [name = '', ...fields] = kind.split('.');
    const schema = facts.kinds.get(name.toLowerCase());
    if (schema === undefined) return BUILTIN.has(name.toLowerCase()) ? [] : [`kubectl knows no kind ${name}`];
    return verb === 'explain' ? fieldProblems(schema, fields, name) : [];
  });
}

function fieldProblems(schema: Schema, fields: readonly string[], path: string): string[] {
  const [field, ...deeper] = fields;
  if (field === undefined) return [];
  const values = schema.additionalProperties;
  const inner = schema.items ?? (typeof values === 'object' ? values : undefined);
  const child = schema.properties?.[field] ?? inner?.properties?.[field];
  return child === undefined
    ? [`${path} has no field ${field}`]
    : fieldProblems(child, deeper, `${path}.${field}`);
}

function fileProblems({ flags, arguments: words, subcommand }: Parsed, facts: Facts): string[] {
  const [verb = ''] = subcommand;
  const files = flags
    .filter(
      ({ name }) =>
        /^(?:--filename|--values|--kustomize|-k|--patch-file)$/.test(name) ||
        (name === '-f' && verb !== 'logs'),
    )
    .map(({ value = '' }) => value);
  // A bare name is a file that the reader has.
  const wrong = files.filter(
    (file) =>
      file.includes('/') && !/^(?:[a-z]+:\/)?\//.test(file) && !PLACEHOLDER.test(file) && !facts.exists(file),
  );
  return [...wrong.map((file) => `the checkout holds no ${file}`), ...pathProblems(words, facts)];
}

/** Words that begin with a folder of the checkout, also as the value of a flag. */
function pathProblems(words: readonly string[], facts: Facts): string[] {
  return words
    .map((word) => word.replace(/^--?[\w-]+=/, '').replace(/^\.\//, ''))
    .filter((word) => word.includes('/') && !PLACEHOLDER.test(word))
    .filter((word) => facts.folders.includes(word.split('/')[0] ?? ''))
    .filter((word) => !facts.outputs.includes(word) && !facts.exists(word))
    .map((word) => `the checkout holds no ${word}`);
}

/** `a.b[0].c=1,d={x,y}` against the schema of the chart's values: each key, and each value that is no placeholder. */
function setProblems(flag: string, text: string, facts: Facts): string[] {
  const pairs =
    flag === '--set-json' || flag === '--set-literal' ? [text] : text.split(/(?<!\\),(?![^{]*\})/);
  return pairs.flatMap((pair) => {
    const [key, value = ''] = splitOnce(pair, '=');
    const places = schemasAt(facts.values, key.replaceAll(/\[\d+\]/g, '.0').split(/(?<!\\)\./));
    if (places.length === 0) return [`the chart has no value ${key}`];
    if (PLACEHOLDER.test(value) || flag === '--set-file') return [];
    const typed = flag === '--set-json' ? (JSON.parse(value) as unknown) : valueOf(value, flag === '--set');
    const fits = places.some((place) => new Ajv({ strict: false }).validate(place, typed));
    return fits ? [] : [`${key} of the chart cannot be ${value}`];
  });
}

function valueOf(text: string, guess: boolean): unknown {
  if (text.startsWith('{') && text.endsWith('}'))
    return text
      .slice(1, -1)
      .split(',')
      .map((item) => valueOf(item, guess));
  if (!guess) return text;
  if (/^(?:true|false)$/.test(text)) return text === 'true';
  if (text === 'null') return null;
  return /^(?:0|-?[1-9]\d*)$/.test(text) ? Number(text) : text;
}

interface ValueSchema {
  type?: string;
  maxProperties?: number;
  properties?: Readonly<Record<string, ValueSchema>>;
  additionalProperties?: ValueSchema | boolean;
  items?: ValueSchema;
  anyOf?: readonly ValueSchema[];
  oneOf?: readonly ValueSchema[];
}

/** Every schema that the value at this path may have; none where there can be no such value. */
function schemasAt(schema: ValueSchema, path: readonly string[]): ValueSchema[] {
  const [key, ...deeper] = path;
  if (key === undefined) return [schema];
  const { properties = {}, additionalProperties, items, anyOf = [], oneOf = [] } = schema;
  const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
  const open = typeof additionalProperties === 'object' ? additionalProperties : {};
  const closed = additionalProperties === false || schema.type !== 'object' || schema.maxProperties === 0;
  const child = known ?? (items !== undefined && /^\d+$/.test(key) ? items : closed ? undefined : open);
  const here = child === undefined ? [] : schemasAt(child, deeper);
  return [...here, ...[...anyOf, ...oneOf].flatMap((option) => schemasAt(option, path))];
}

function splitOnce(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)];
}
