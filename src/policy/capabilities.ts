/**
 * The builtins that a rule may call: those that the Wasm module has within itself, and those that our host provides.
 * Everything else is refused when the rule is applied, not discovered when a Pod is judged.
 */
import { hostBuiltins } from './engine/builtins/index.ts';

/** Never, whoever would provide them; why, for the user who asked for one. */
const BANNED: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^http\.send$/, 'a rule must not call the network: its verdict would depend on more than its input'],
  [/^net\.lookup_ip_addr$/, 'a rule must not ask the DNS: its verdict would depend on more than its input'],
  [/^opa\.runtime$/, 'it would show the environment of the controller to a rule'],
  [/^rand\./, 'a verdict must be the same when the same object is judged again'],
  [/^trace$/, 'there is nobody to read the trace; use print while you write the rule'],
  [/^providers\./, 'a rule must not sign requests to cloud providers'],
  [/^rego\.parse_module$/, 'a rule must not read other rules'],
  [/^internal\.test_case$/, 'it belongs to opa test'],
];

/** What OPA's compiler maps to functions of the Wasm module itself (OPA 1.22; operators by their names). */
const NATIVE: ReadonlySet<string> = new Set(
  `abs all and any array.concat array.flatten array.reverse array.slice assign base64.decode base64.encode base64.is_valid
  base64url.decode base64url.encode bits.and bits.lsh bits.negate bits.or bits.rsh bits.xor ceil concat contains count div
  endswith eq equal floor format_int glob.match graph.reachable gt gte indexof internal.member_2 internal.member_3
  internal.template_string intersection is_array is_boolean is_null is_number is_object is_set is_string json.filter
  json.is_valid json.marshal json.remove json.unmarshal lower lt lte max min minus mul neq net.cidr_contains
  net.cidr_intersects net.cidr_overlap numbers.range object.filter object.get object.keys object.remove object.union
  object.union_n or plus product re_match regex.find_all_string_submatch_n regex.is_valid regex.match rem replace round
  set_diff sort split startswith strings.replace_n strings.reverse substring sum to_number trim trim_left trim_prefix
  trim_right trim_space trim_suffix type_name union upper walk`.split(/\s+/),
);

/** Rewritten or erased by the compiler: they never reach the module. */
const COMPILED_AWAY: ReadonlySet<string> = new Set([
  'print',
  'internal.print',
  'rego.metadata.chain',
  'rego.metadata.rule',
]);

/** Why a builtin is not to be had, undefined when it is. `known`: all builtins of this opa. */
export function whyUnavailable(name: string, known: ReadonlySet<string>): string | undefined {
  const banned = BANNED.find(([pattern]) => pattern.test(name));
  if (banned !== undefined) return banned[1];
  if (!known.has(name) || isAvailable(name)) return undefined;
  return "neither OPA's Wasm runtime nor this version of CogniForge provides it";
}

function isAvailable(name: string): boolean {
  if (BANNED.some(([pattern]) => pattern.test(name))) return false;
  return NATIVE.has(name) || COMPILED_AWAY.has(name) || hostBuiltins.has(name);
}

/** What `opa capabilities --current` prints, as far as it is read here. */
export interface Capabilities {
  builtins: { name: string }[];
  allow_net?: string[];
  [field: string]: unknown;
}

/** The capabilities that rules are compiled with. */
export function restrict(all: Capabilities): Capabilities {
  return { ...all, builtins: all.builtins.filter(({ name }) => isAvailable(name)), allow_net: [] };
}
