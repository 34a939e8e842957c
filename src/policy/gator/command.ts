/** `cogniforge policy import`: Gatekeeper's templates and constraints as PolicyRules on standard output. */
import { parseArgs } from 'node:util';
import { dump } from 'js-yaml';
import { deepEqual } from '../../runtime/json.ts';
import { parseYaml } from '../../runtime/yaml.ts';
import type { CommandIo } from '../command-io.ts';
import { compile, CompileError, compilerVersion } from '../compiler.ts';
import { documents } from '../documents.ts';
import { sourceOf } from '../library.ts';
import type { PolicyRule } from '../policyrule/types.gen.ts';
import { describeProblem } from '../problems.ts';
import { importRules } from './convert.ts';
import type { Loose } from './objects.ts';

const USAGE = 'usage: cogniforge policy import FILE...';

/** 0: every constraint became a rule; 1: one did not, standard error says why; 2: bad usage. Throws for a bad file. */
export async function importCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
  if (positionals.length === 0) {
    io.print(USAGE);
    return 2;
  }
  const opaBin = io.env['OPA_BIN'];
  await compilerVersion({ opaBin });
  const { rules, warnings, refusals } = importRules(positionals.flatMap((file) => documents(file)));
  const refused = [...refusals];
  for (const rule of rules) {
    const problems = await compileProblems(rule as unknown as PolicyRule, opaBin);
    refused.push(...problems);
    if (problems.length === 0) io.print(`---\n${yamlOf(rule)}`);
  }
  for (const warning of new Set(warnings)) io.complain(`warning: ${warning}`);
  for (const refusal of new Set(refused)) io.complain(`refused: ${refusal}`);
  return refused.length === 0 ? 0 : 1;
}

/** A rule that the API server would refuse is no import. */
async function compileProblems(rule: PolicyRule, opaBin: string | undefined): Promise<string[]> {
  try {
    await compile(sourceOf(rule), { opaBin });
    return [];
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    return error.problems.map((problem) => `${rule.metadata.name}: spec.${describeProblem(problem)}`);
  }
}

/** What kubectl reads back as the same; JSON, which is YAML too, where the writer's dialect differs from kubectl's. */
function yamlOf(object: Loose): string {
  const text = dump(object, { lineWidth: -1, noRefs: true }).trimEnd();
  return deepEqual(parseYaml(text)[0], object) ? text : JSON.stringify(object, null, 2);
}
