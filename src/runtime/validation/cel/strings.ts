/** Kubernetes' CEL libraries over strings: find and findAll with RE2, and the named formats. */
import type { CelFunc, CelInput, CelValue } from '@bufbuild/cel';
import { RE2JS } from 're2js';
import { formatOf } from '../formats.ts';
import {
  label1035Problems,
  labelProblems,
  labelValueProblems,
  prefixOf,
  qualifiedNameProblems,
  subdomainProblems,
} from '../names.ts';
import { DYN, func, INT, integer, LIST, method, STRING, text } from './functions.ts';
import { opaqueType } from './opaque.ts';
import { none, some } from './optional.ts';
import { celList } from '@bufbuild/cel';

/** For the CEL library's `matches`. */
export const re2 = {
  compile(pattern: string): { test: (value: string) => boolean } {
    const compiled = RE2JS.compile(pattern);
    return { test: (value) => compiled.matcher(value).find() };
  },
};

/** The matches in order, at most `most`; all where it is negative. As in Go, an empty match right after another is none. */
function findAll(value: string, pattern: string, most: bigint): string[] {
  const matcher = RE2JS.compile(pattern).matcher(value);
  const found: string[] = [];
  let end = -1;
  while ((most < 0n || BigInt(found.length) < most) && matcher.find()) {
    const isEmpty = matcher.start() === matcher.end();
    if (!isEmpty || matcher.start() !== end) found.push(matcher.group() ?? '');
    end = matcher.end();
  }
  return found;
}

interface NamedFormat {
  problems: (value: string) => string[];
}

function strfmt(name: string): NamedFormat {
  const format = formatOf(name);
  return { problems: (value) => (format?.test(value) === false ? [`invalid ${name}`] : []) };
}

const FORMATS: Readonly<Record<string, NamedFormat>> = {
  dns1123Label: { problems: labelProblems },
  dns1123Subdomain: { problems: subdomainProblems },
  dns1035Label: { problems: label1035Problems },
  qualifiedName: { problems: qualifiedNameProblems },
  dns1123LabelPrefix: { problems: (value) => labelProblems(prefixOf(value)) },
  dns1123SubdomainPrefix: { problems: (value) => subdomainProblems(prefixOf(value)) },
  dns1035LabelPrefix: { problems: (value) => label1035Problems(prefixOf(value)) },
  labelValue: { problems: labelValueProblems },
  uri: strfmt('uri'),
  uuid: strfmt('uuid'),
  byte: strfmt('byte'),
  date: strfmt('date'),
  datetime: strfmt('datetime'),
};

const format = opaqueType<NamedFormat>('kubernetes.NamedFormat');

function named(name: string): CelInput {
  const found = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
  return found === undefined ? none() : some(format.wrap(found, name));
}

function check(self: CelValue | undefined, value: CelValue | undefined): CelInput {
  const problems = format.unwrap(self)?.problems(text(value)) ?? [];
  return problems.length === 0 ? none() : some(celList(problems));
}

export const stringFunctions: readonly CelFunc[] = [
  method(
    'find',
    STRING,
    [STRING],
    STRING,
    (self, pattern) => findAll(text(self), text(pattern), 1n)[0] ?? '',
  ),
  method('findAll', STRING, [STRING], LIST, (self, pattern) => findAll(text(self), text(pattern), -1n)),
  method('findAll', STRING, [STRING, INT], LIST, (self, pattern, most) =>
    findAll(text(self), text(pattern), integer(most)),
  ),
  func('format.named', [STRING], DYN, (name) => named(text(name))),
  ...Object.entries(FORMATS).map(([name, known]) =>
    func(`format.${name}`, [], format.type, () => format.wrap(known, name)),
  ),
  method('validate', format.type, [STRING], DYN, check),
];
