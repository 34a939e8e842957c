/** What is wrong with an object, in the words of the API server's field errors. */

/** The reasons of apimachinery's field errors, as they appear in `status.details.causes[].reason`. */
export type ProblemCode =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueTypeInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden';

export interface Problem {
  code: ProblemCode;
  /** as the API server writes it: `spec.match.kinds[0].apiGroups` */
  path: string;
  /** what is wrong */
  message: string;
  /** what would be accepted */
  accepted?: string;
}

/** One line: `FieldValueInvalid spec.timeout: 5 is less than 10; accepted: an integer of at least 10`. */
export function describeProblem({ code, path, message, accepted }: Problem): string {
  return `${code} ${path}: ${message}${accepted === undefined ? '' : `; accepted: ${accepted}`}`;
}

/** From the root of an object to a value: names of fields and indexes of lists. */
export type Segments = readonly (string | number)[];

/** The schema validator of the API server writes the key of a map like a field: `metadata.labels.app`. */
export function fieldPath(segments: Segments): string {
  return segments.reduce<string>(
    (path, segment) =>
      typeof segment === 'number'
        ? `${path}[${String(segment)}]`
        : path === ''
          ? segment
          : `${path}.${segment}`,
    '',
  );
}

const BLOCKING: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

/** CEL rules are not evaluated on an object with such a problem: their types could not be relied upon. */
export function blocksRules(problems: readonly Problem[]): boolean {
  return problems.some(({ code }) => BLOCKING.has(code));
}
