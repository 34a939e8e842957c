/** What is wrong with a rule's Rego, where, and what to do about it. */

export interface Problem {
  /** `rego`, `libs[0]` or `regoQuery`: the field of the rule's spec; absent when it is about no text at all */
  file?: string;
  /** line and column of the user's own text, from 1 */
  line?: number;
  column?: number;
  /** OPA's code, such as rego_parse_error, or ours */
  code?: string;
  message: string;
  remedy?: string;
}

export class CompileError extends Error {
  override readonly name = 'CompileError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.map(describeProblem).join('; '), options);
    this.problems = problems;
  }
}

/** `rego:3: builtin http.send is not available (...): remedy`, one line. */
export function describeProblem({ file, line, message, remedy }: Problem): string {
  const place = file === undefined ? '' : `${file}${line === undefined ? '' : `:${String(line)}`}: `;
  return `${place}${message}${remedy === undefined ? '' : ` (${remedy})`}`;
}

export function fail(problem: Problem): never {
  throw new CompileError([problem]);
}
