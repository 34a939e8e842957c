/** Policy's link of the admission chain: the rules in force over everybody's objects. */
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { EntryId, FailureMode } from '../runtime/webhook/target.ts';
import type { Gate } from '../runtime/webhook/gate.ts';
import type { AdmissionRequest } from '../runtime/webhook/review.ts';
import { actionAt } from './enforcement.ts';
import { parted } from './existing.ts';
import { judge, type Finding } from './judge.ts';
import type { Library, ServedRule } from './library.ts';
import { namespaceOf, type Labels } from './match.ts';
import { Reviews, type Texts } from './reviews.ts';
import { isAboutBefore, selector, type Selection, type View } from './select.ts';
import { targetsOf } from './targets.ts';
import { violationsOf, wordsOf, type Violation } from './verdict.ts';

export interface Facts {
  findings: readonly Finding[];
  mode: FailureMode;
}

export interface PolicyGateOptions {
  library: Library;
  evaluate: (id: string, input: string, deadlineMs: number) => Promise<unknown>;
  /** labels of a namespace, undefined when it is not known */
  namespaceLabels: (name: string) => Labels | undefined;
  /** the kind of a resource, undefined when it is not known */
  kindOf: (group: string, resource: string) => string | undefined;
  /** judged only by a rule that names them letter by letter */
  systemNamespaces: readonly string[];
  log: Log;
}

type Selected = Selection & { served: ServedRule };

export function policyGate(options: PolicyGateOptions): Gate<Facts> {
  const { library } = options;
  return {
    name: 'policy',
    targets: () =>
      library.served().flatMap(({ name, rule }) => (library.suspended(name) ? [] : targetsOf(rule))),
    matches: (request, entry) => !selected(options, request, entry).next().done,
    async gather(request, entry) {
      const reviews = new Reviews(request);
      const findings = await Promise.all(
        [...selected(options, request, entry)].map((one) => find(options, one, request, reviews)),
      );
      // A dry run leaves nothing behind, not even a count.
      if (request.dryRun !== true) for (const finding of findings) count(library, finding);
      return { findings, mode: entry.mode };
    },
    admit: (_request, facts) => judge(facts.findings, facts.mode),
  };
}

/** One after the other: whether there is any is known at the first. */
function* selected(
  options: PolicyGateOptions,
  request: AdmissionRequest,
  entry: EntryId,
): Generator<Selected, void, undefined> {
  const { library } = options;
  const select = selector(request, entry, viewOf(options, request));
  for (const served of library.served()) {
    if (library.suspended(served.name)) continue;
    const selection = select(served.rule);
    if (selection !== undefined) yield { served, ...selection };
  }
}

function viewOf(options: PolicyGateOptions, request: AdmissionRequest): View {
  const { namespaceLabels, kindOf, systemNamespaces } = options;
  const namespace = namespaceOf(request);
  const { group, resource } = request.resource;
  const kind = kindOf(group, resource);
  return {
    namespaceLabels: namespace === undefined ? undefined : namespaceLabels(namespace),
    owner:
      (request.subResource ?? '') === '' ? request.kind : kind === undefined ? undefined : { group, kind },
    systemNamespaces,
  };
}

async function find(
  options: PolicyGateOptions,
  { served, expansion, muted }: Selected,
  request: AdmissionRequest,
  reviews: Reviews,
): Promise<Finding> {
  const { rule, name } = served;
  const shared = { rule, muted, ...(expansion === undefined ? {} : { place: expansion }) };
  let violations: readonly Violation[];
  try {
    violations = await evaluate(options, served, reviews.now(expansion));
  } catch (error) {
    options.log.error('a rule could not be evaluated', { rule: name, error });
    return { ...shared, violations: [], error: messageOf(error) };
  }
  const before = reviews.before(expansion);
  const { existingViolations } = rule.spec;
  if (violations.length === 0 || existingViolations === 'Block' || before === undefined)
    return { ...shared, violations };
  if (!isAboutBefore(rule, request, viewOf(options, request), expansion !== undefined))
    return { ...shared, violations };
  try {
    const { fresh, existing } = parted(violations, await evaluate(options, served, before));
    // The parent may stay as it is; the Pods that are made of it anew will be refused, and that should be known.
    const worthSaying = existingViolations === 'Warn' || expansion !== undefined;
    return { ...shared, violations: fresh, ...(worthSaying ? { existing } : {}) };
  } catch (error) {
    // What it found of the new object holds; that some of it is old nobody can tell.
    options.log.error('a rule could not be evaluated on the old object', { rule: name, error });
    return { ...shared, violations };
  }
}

async function evaluate(
  options: PolicyGateOptions,
  { rule, policy, id, reads, parameters }: ServedRule,
  { review, object }: Texts,
): Promise<Violation[]> {
  const input = reads === 'object' ? object : `{"review":${review},"parameters":${parameters}}`;
  const raw = await options.evaluate(id, input, rule.spec.timeoutMilliseconds);
  return violationsOf(raw, policy.entrypoint, wordsOf(rule));
}

/** A refusal is one whoever asked; what was said of the controller above is not counted for each of its Pods again. */
function count(library: Library, { rule, violations, existing = [], muted, error }: Finding): void {
  const { name } = rule.metadata;
  const denied = violations.length > 0 && actionAt(rule.spec, 'Admission') === 'Enforce';
  const noted = !denied && muted !== true && violations.length + existing.length > 0;
  library.count(name, { evaluations: 1, denials: denied ? 1 : 0, warnings: noted ? 1 : 0 });
  if (error !== undefined) library.failed(name, error);
}
