/** From what the rules found to one verdict: pure. */
import type { FailureMode } from '../runtime/webhook/target.ts';
import type { Verdict } from '../runtime/webhook/review.ts';
import { actionAt } from './enforcement.ts';
import { pathOf } from './existing.ts';
import type { PolicyRule } from './policyrule/types.gen.ts';
import { cut, plain, type Violation } from './verdict.ts';

/** What one rule found. */
export interface Finding {
  rule: PolicyRule;
  violations: readonly Violation[];
  /** which the object had before, and which are worth a warning */
  existing?: readonly Violation[];
  /** where they were found: in the pod template of this parent */
  place?: Place;
  /** the same was said of the controller above: it may refuse, and says nothing else */
  muted?: boolean;
  /** why it could not be evaluated */
  error?: string;
}

export interface Place {
  /** such as `Deployment shop` */
  parent: string;
  /** such as `spec.template` */
  prefix: string;
}

/** `mode`: what a rule that could not be evaluated does. */
export function judge(findings: readonly Finding[], mode: FailureMode): Verdict {
  const denials: string[] = [];
  const warnings: string[] = [];
  const auditAnnotations: Record<string, string> = {};
  for (const finding of findings) {
    const { rule, violations, existing = [], muted = false, error } = finding;
    const { name } = rule.metadata;
    if (error !== undefined) {
      const sentence = `policy ${name} could not be evaluated: ${error}`;
      if (mode === 'Fail') denials.push(`${sentence}; it fails closed`);
      else warnings.push(oneLine(sentence));
    }
    const action = actionAt(rule.spec, 'Admission');
    const words = (list: readonly Violation[], longest = Infinity, what = ''): string[] =>
      list.map((violation) => sentenceOf(finding, violation, longest, what));
    if (action === 'Enforce') denials.push(...words(violations));
    if (muted) continue;
    if (action === 'Enforce') warnings.push(...words(existing, MAX_WARNING, OLD_NEWS).map(oneLine));
    if (action === 'Warn') warnings.push(...words([...violations, ...existing], MAX_WARNING).map(oneLine));
    const noted = action === 'Audit' ? [...violations, ...existing] : [];
    if (noted.length > 0) note(auditAnnotations, name, words(noted));
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
/** Before the words of what an enforced rule lets pass this once. */
const OLD_NEWS = 'still refused when made anew: ';

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
  { rule, place }: Finding,
  { message, details }: Violation,
  longest: number,
  what: string,
): string {
  const { metadata, spec } = rule;
  const start = `[${metadata.name}] ${what}`;
  const end = ` (severity ${spec.severity}; see: kubectl describe policyrule ${metadata.name})`;
  const room = Math.max(1, longest - start.length - end.length);
  return `${start}${cut(`${message}${whereOf(pathOf(details), place)}`, room)}${end}`;
}

/** ` at spec.template.spec.containers[1] of Deployment shop` */
function whereOf(path: string | undefined, place: Place | undefined): string {
  if (place === undefined) return path === undefined ? '' : ` at ${path}`;
  const { parent, prefix } = place;
  const joint = path === undefined || path.startsWith('[') ? '' : '.';
  return ` at ${prefix}${joint}${path ?? ''} of ${parent}`;
}
