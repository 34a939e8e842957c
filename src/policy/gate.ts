/** Policy's link of the admission chain: the rules in force over everybody's objects. */
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { FailureMode, Target } from '../runtime/webhook/configuration.ts';
import type { Gate } from '../runtime/webhook/gate.ts';
import type { AdmissionRequest, Verdict } from '../runtime/webhook/review.ts';
import { jsonText } from './json-text.ts';
import type { Library, ServedRule } from './library.ts';
import { matches, type Labels } from './match.ts';
import type { PolicyRule } from './policyrule/types.gen.ts';
import { cut, plain, violationsOf, type Violation } from './verdict.ts';

/** What one rule found. */
export interface Finding {
  rule: PolicyRule;
  violations: readonly Violation[];
  /** why it could not be evaluated */
  error?: string;
}

export interface Facts {
  findings: readonly Finding[];
  mode: FailureMode;
}

export interface PolicyGateOptions {
  library: Library;
  evaluate: (id: string, input: string, deadlineMs: number) => Promise<unknown>;
  /** labels of a namespace, undefined when it is not known */
  namespaceLabels: (name: string) => Labels | undefined;
  log: Log;
}

export function policyGate(options: PolicyGateOptions): Gate<Facts> {
  const { library, namespaceLabels } = options;
  const selected = (request: AdmissionRequest, mode: FailureMode): ServedRule[] => {
    if (isRule(request)) return [];
    const labels = request.namespace === undefined ? undefined : namespaceLabels(request.namespace);
    return library
      .served()
      .filter(
        ({ name, rule }) =>
          !library.suspended(name) &&
          rule.spec.failurePolicy === mode &&
          matches(rule.spec.match, request, labels),
      );
  };
  return {
    name: 'policy',
    targets: () =>
      library.served().flatMap(({ name, rule }) => (library.suspended(name) ? [] : [targetOf(rule)])),
    matches: (request, mode) => selected(request, mode).length > 0,
    async gather(request, mode) {
      const review = reviewText(request);
      const object = jsonText(objectOf(request));
      const findings = await Promise.all(
        selected(request, mode).map((served) => evaluate(options, served, review, object)),
      );
      // A dry run leaves nothing behind, not even a count.
      if (request.dryRun !== true) for (const finding of findings) count(library, finding);
      return { findings, mode };
    },
    admit: (_request, facts) => judge(facts),
  };
}

/** A rule that judged rules could refuse its own repair. */
function isRule({ kind }: AdmissionRequest): boolean {
  return kind.group === 'cogniforge.dev' && kind.kind === 'PolicyRule';
}

export function targetOf({ spec }: PolicyRule): Target {
  return {
    failureMode: spec.failurePolicy,
    kinds: spec.match.kinds,
    operations: spec.match.operations,
    scope: spec.match.scope,
    timeoutMs: spec.timeoutMilliseconds,
  };
}

/** A deleted object is judged as it was: the API server sends it as oldObject alone (Gatekeeper does the same). */
function objectOf(request: AdmissionRequest): unknown {
  return request.operation === 'DELETE' ? (request.oldObject ?? null) : (request.object ?? null);
}

function reviewText(request: AdmissionRequest): string {
  return jsonText(request.operation === 'DELETE' ? { ...request, object: objectOf(request) } : request);
}

async function evaluate(
  options: PolicyGateOptions,
  served: ServedRule,
  review: string,
  object: string,
): Promise<Finding> {
  const { rule, policy, id, name } = served;
  const input = served.reads === 'object' ? object : `{"review":${review},"parameters":${served.parameters}}`;
  try {
    const raw = await options.evaluate(id, input, rule.spec.timeoutMilliseconds);
    return { rule, violations: violationsOf(raw, policy.entrypoint, wordsOf(rule)) };
  } catch (error) {
    options.log.error('a rule could not be evaluated', { rule: name, error });
    return { rule, violations: [], error: messageOf(error) };
  }
}

function wordsOf({ metadata, spec }: PolicyRule) {
  return {
    name: metadata.name,
    severity: spec.severity,
    ...(spec.violationMessage === undefined ? {} : { violationMessage: spec.violationMessage }),
  };
}

function count(library: Library, { rule, violations, error }: Finding): void {
  const { name } = rule.metadata;
  const violated = violations.length > 0;
  const denies = rule.spec.enforcementMode === 'Enforce';
  library.count(name, {
    evaluations: 1,
    denials: violated && denies ? 1 : 0,
    warnings: violated && !denies ? 1 : 0,
  });
  if (error !== undefined) library.failed(name, error);
}

/** The verdict of all findings together. Pure. */
export function judge({ findings, mode }: Facts): Verdict {
  const denials: string[] = [];
  const warnings: string[] = [];
  const auditAnnotations: Record<string, string> = {};
  for (const { rule, violations, error } of findings) {
    const { name } = rule.metadata;
    if (error !== undefined) {
      const sentence = `policy ${name} could not be evaluated: ${error}`;
      if (mode === 'Fail') denials.push(`${sentence}; it fails closed`);
      else warnings.push(oneLine(sentence));
    }
    if (violations.length === 0) continue;
    const { enforcementMode: enforcement } = rule.spec;
    const longest = enforcement === 'Warn' ? MAX_WARNING : Infinity;
    const sentences = violations.map((violation) => sentenceOf(rule, violation, longest));
    if (enforcement === 'Enforce') denials.push(...sentences);
    else if (enforcement === 'Warn') warnings.push(...sentences.map(oneLine));
    else note(auditAnnotations, name, sentences);
  }
  return {
    allowed: denials.length === 0,
    ...(denials.length === 0 ? {} : { code: 403, reason: 'PolicyViolation', message: refusal(denials) }),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(Object.keys(auditAnnotations).length === 0 ? {} : { auditAnnotations }),
  };
}

/** As long as the HTTP answers of all links of the road will carry. */
const MAX_REFUSAL = 65_536;
/** The API server cuts a warning at 256 characters: what tells how to look further must be within. */
const MAX_WARNING = 256;
const MAX_ANNOTATION = 4_096;

function refusal(denials: readonly string[]): string {
  return cut(plain(denials.join('\n')), MAX_REFUSAL);
}

/** The API server drops a warning that has a control character, even a line break. */
function oneLine(text: string): string {
  return plain(text.replace(/\s+/g, ' '));
}

/** A key has at most 63 characters and ends in a letter or digit; rules whose names begin alike share one. */
function note(annotations: Record<string, string>, name: string, sentences: readonly string[]): void {
  const key = name.slice(0, 63).replace(/[.-]+$/, '');
  const known = annotations[key];
  const text = plain([...(known === undefined ? [] : [known]), ...sentences].join('; '));
  annotations[key] = cut(text, MAX_ANNOTATION);
}

/** Rule, severity, what is wrong, where, and how to look further: all a person needs who has never heard of the rule. */
function sentenceOf(
  { metadata, spec }: PolicyRule,
  { message, details }: Violation,
  longest: number,
): string {
  const where = pathOf(details);
  const start = `[${metadata.name}] `;
  const end = ` (severity ${spec.severity}; see: kubectl describe policyrule ${metadata.name})`;
  const room = Math.max(1, longest - start.length - end.length);
  return `${start}${cut(`${message}${where === undefined ? '' : ` at ${where}`}`, room)}${end}`;
}

/** `spec.containers[1]` of `["spec", "containers", 1]`. */
function pathOf(details: unknown): string | undefined {
  if (typeof details !== 'object' || details === null || !('path' in details) || !Array.isArray(details.path))
    return undefined;
  const path = (details.path as unknown[])
    .map((part) => (typeof part === 'number' ? `[${String(part)}]` : `.${String(part)}`))
    .join('');
  return path === '' ? undefined : path.replace(/^\./, '');
}
