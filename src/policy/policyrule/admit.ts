/** Whether a PolicyRule may be stored: pure, from what was found when it was looked at. */
import type { Verdict } from '../../runtime/webhook/review.ts';
import type { Faults } from '../inspection.ts';
import { describeProblem, type Problem } from '../problems.ts';

const MOST_OF_A_SORT = 10;

export function admit(name: string, { compile, parameters, tests }: Faults): Verdict {
  const parts = [
    sentences(`PolicyRule ${name} does not compile`, compile),
    sentences(`PolicyRule ${name} has parameters that are wrong`, parameters),
    sentences(`PolicyRule ${name} fails its own tests`, tests),
  ].filter((part) => part !== '');
  if (parts.length === 0) return { allowed: true };
  return { allowed: false, code: 422, reason: 'Invalid', message: parts.join('\n') };
}

function sentences(heading: string, problems: readonly Problem[]): string {
  if (problems.length === 0) return '';
  const shown = problems
    .slice(0, MOST_OF_A_SORT)
    .map((problem) => `${problem.file === undefined ? '' : 'spec.'}${describeProblem(problem)}`);
  const rest = problems.length - shown.length;
  return [`${heading}:`, ...shown, ...(rest === 0 ? [] : [`and ${String(rest)} more`])].join('\n');
}
