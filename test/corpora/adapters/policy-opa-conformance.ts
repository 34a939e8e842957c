/**
 * OPA's own conformance cases, compiled by `opa build -t wasm` with the capabilities of our rules and evaluated by our
 * engine. The entry points of the cases are not those of a PolicyRule, so the compiler's checks of a rule stay out of it.
 */
import { deepEqual, parseJson, stringifyJson } from '../../../src/runtime/json.ts';
import { EvaluationError, createEngine, type Engine } from '../../../src/policy/engine/engine.ts';
import { agree, disagree, readCases, undecided, type Adapter, type Judgement } from '../adapter.ts';
import { compileCases, type Compiled, type ConformanceCase, type Refusal } from '../rego-bundles.ts';

interface Case extends ConformanceCase {
  compiled: Compiled | Refusal;
}

const DEADLINE_MS = 10_000;
let engine: Engine | undefined;

export const adapter: Adapter<Case> = {
  name: 'policy/opa-conformance',
  path: 'policy/opa-conformance/cases.ndjson',
  async load(path) {
    const rows = readCases<ConformanceCase>(path);
    const compiled = await compileCases(rows);
    engine = createEngine({ workers: 2 });
    for (const [id, wasm] of compiled.modules) engine.load(id, wasm, 'allow');
    return rows.map((row) => {
      const one = compiled.cases.get(row.id);
      if (one === undefined) throw new Error(row.id);
      return { ...row, compiled: one };
    });
  },
  async judge(one) {
    const { compiled } = one;
    if ('refused' in compiled) {
      return compiled.builtin
        ? undecided(compiled.refused)
        : disagree(`does not compile: ${compiled.refused}`);
    }
    if (engine === undefined) throw new Error('load comes first');
    try {
      const value = await engine.evaluate(compiled.module, {
        ...('input' in one ? { input: stringifyJson(one.input) } : {}),
        data: stringifyJson(compiled.withData(one.data ?? {})),
        deadlineMs: DEADLINE_MS,
      });
      return judgeValue(one, value);
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      const ours = error.code === 'trap' || error.code === 'builtin';
      return one.error !== undefined && ours ? agree : disagree(`${error.code}: ${error.message}`);
    }
  },
  async close() {
    await engine?.close();
    engine = undefined;
  },
};

function judgeValue(one: Case, value: unknown): Judgement {
  if (one.error !== undefined) {
    // A rule's builtin errors are undefined by design, as they are in OPA unless it is told otherwise.
    if (one.strict_error === true) return undecided('builtin errors are not fatal here');
    return disagree(`wanted an error, got ${stringifyJson(value ?? 'undefined')}`);
  }
  if (one.undefined === true)
    return value === undefined ? agree : disagree(`wanted no value, got ${stringifyJson(value)}`);
  if (value === undefined) return disagree('wanted a value, got none');
  const equal =
    one.sort_bindings === true && Array.isArray(value) && Array.isArray(one.want)
      ? deepEqual(sorted(value), sorted(one.want))
      : deepEqual(plainNumbers(value), plainNumbers(one.want));
  if (equal) return agree;
  const why = `${stringifyJson(value)}, wanted ${stringifyJson(one.want)}`;
  return deepEqual(unordered(value), unordered(one.want)) ? { verdict: 'order', why } : disagree(why);
}

/** Numbers by value: 1.0 and 1 are parsed alike already, a long one is text; what is no number stays. */
function plainNumbers(value: unknown): unknown {
  return parseJson(stringifyJson(value));
}

function sorted(items: readonly unknown[]): unknown[] {
  return items.map(plainNumbers).sort(byText);
}

function unordered(value: unknown): unknown {
  const plain = plainNumbers(value);
  if (Array.isArray(plain)) return plain.map(unordered).sort(byText);
  if (typeof plain !== 'object' || plain === null) return plain;
  return Object.fromEntries(Object.entries(plain).map(([key, item]) => [key, unordered(item)]));
}

function byText(a: unknown, b: unknown): number {
  const [left, right] = [canonical(a), canonical(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** With the keys of objects in order. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return Array.isArray(value) ? `[${value.map(canonical).join()}]` : stringifyJson(value);
  }
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join()}}`;
}
