/** The `cogniforge` command: one line for each subcommand. */
import { readFileSync } from 'node:fs';
import { runController } from './main.ts';
import { policyCommand } from './policy/commands.ts';
import { compilerVersion } from './policy/compiler.ts';
import { systemClock } from './runtime/clock.ts';
import { messageOf } from './runtime/errors.ts';
import { redactText } from './runtime/redact.ts';
import { GRACE_MS, untilTerminated } from './runtime/termination.ts';

const USAGE = `usage: cogniforge COMMAND
  controller       runs the operator (flags: --kubeconfig, --namespace, --webhook-port, ...)
  policy eval      judges an object by a rule, offline: --rule FILE --input FILE; exit 1 on a violation.
                   Without flags: answers {id, modules, regoVersion, entrypoint, input, data}, one JSON object a line
                   on standard input, with {id, result | error}, in the same order
  policy test      runs gator suites and the tests of PolicyRules: PATH... [--run REGEX] [--output text|json|junit];
                   exit 1 on a failure
  policy import    turns Gatekeeper's templates and constraints into PolicyRules on standard output: FILE...
  policy apply     makes the rules of a pack in a cluster equal to those of a file: --pack NAME --file FILE
  policy selftest  has an object refused in a cluster, in a dry run, by a rule made for it: --namespace NAME
  version          prints our version and that of the opa found by OPA_BIN or PATH`;

async function run([command, ...args]: readonly string[]): Promise<number> {
  switch (command) {
    case 'controller':
      await runController(args, process.env, terminated());
      return 0;
    case 'policy':
      return policyCommand(args, {
        env: process.env,
        print: (line) => process.stdout.write(`${line}\n`),
        complain: (line) => process.stderr.write(`${line}\n`),
        stdin: process.stdin,
      });
    case 'version':
      process.stdout.write(`cogniforge ${version()}\nopa ${await opaVersion()}\n`);
      return 0;
    default:
      process.stderr.write(`${USAGE}\n`);
      return 2;
  }
}

function terminated(): AbortSignal {
  const exit = (why: string): void => {
    process.stderr.write(`cogniforge: ended at once: ${why}\n`);
    process.exit(1);
  };
  return untilTerminated({ signals: process, clock: systemClock, graceMs: GRACE_MS, exit });
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function opaVersion(): Promise<string> {
  const opaBin = process.env['OPA_BIN'];
  return compilerVersion(opaBin === undefined ? {} : { opaBin }).catch(
    (error: unknown) => `(not found: ${messageOf(error)})`,
  );
}

run(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`cogniforge: ${redactText(messageOf(error))}\n`);
    process.exit(1);
  },
);
