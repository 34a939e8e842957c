/** Whether a PolicyRule may be stored: pure, from what the compiler said of it. */
import type { Verdict } from '../../runtime/webhook/review.ts';
import { describeProblem, type Problem } from '../problems.ts';

export function admit(name: string, problems: readonly Problem[]): Verdict {
  if (problems.length === 0) return { allowed: true };
  const sentences = problems
    .slice(0, 10)
    .map((problem) => `${problem.file === undefined ? '' : 'spec.'}${describeProblem(problem)}`);
  return {
    allowed: false,
    code: 422,
    reason: 'Invalid',
    message: `PolicyRule ${name} does not compile:\n${sentences.join('\n')}`,
  };
}
