/**
 * The rules that this replica serves, compiled. Follows the cache on every replica; the last good version of a rule
 * stays in force until a better one has been compiled, also across a restart (its text is in the rule's status).
 */
import { sleep, type Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { deepEqual } from '../runtime/json.ts';
import type { Log } from '../runtime/log.ts';
import type { Change } from '../runtime/cache/store.ts';
import type { CompiledPolicy, PolicySource } from './compiler.ts';
import { allOf, inspect, isGood, NO_FAULTS, type Faults, type Workbench } from './inspection.ts';
import { parameterCheck, type Parameters } from './parameters.ts';
import { describeProblem } from './problems.ts';
import type { PolicyRule } from './policyrule/types.gen.ts';

/** A rule in force: the version of its spec that is served, and the compiled module. */
export interface ServedRule {
  name: string;
  rule: PolicyRule;
  generation: number;
  policy: CompiledPolicy;
  /** under which the engine knows the module */
  id: string;
  /** whether its input is the AdmissionRequest and the parameters, or the object alone */
  reads: 'review' | 'object';
  /** the parameters, with the defaults of their schema, as JSON text, written once */
  parameters: string;
}

export interface Counts {
  evaluations: number;
  denials: number;
  warnings: number;
  errors: number;
}

/** What is known here of one rule. */
export interface LibraryState {
  served: ServedRule | undefined;
  /** generation that was compiled last, well or badly; 0 before */
  compiledGeneration: number;
  /** of that generation */
  faults: Faults;
  /** how many of its own tests were run */
  testsRun: number;
  counts: Counts;
  lastError: string | undefined;
}

export interface LibraryOptions extends Workbench {
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

/** What is to be served from now on. */
interface Version {
  rule: PolicyRule;
  source: PolicySource;
  policy: CompiledPolicy;
  parameters: Parameters;
  generation: number;
}

interface Entry extends LibraryState {
  latest: PolicyRule;
  working: boolean;
  /** how often the compiler was given no answer in time, in a row, for this version */
  givenUp: number;
}

/** The first of the pauses before a version is tried again, which double up to the last. */
const RETRY_MS = 60_000;
const LAST_RETRY_MS = 1_800_000;

export class Library {
  readonly #options: LibraryOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<(name: string) => void>();
  #serial = 0;

  constructor(options: LibraryOptions) {
    this.#options = options;
  }

  /** To be called with every change of a PolicyRule in the cache. */
  follow(change: Change<PolicyRule>): void {
    if (change.type === 'deleted') {
      this.#remove(change.key);
      return;
    }
    const known = this.#entries.get(change.key);
    const entry = known ?? fresh(change.object);
    entry.latest = change.object;
    this.#entries.set(change.key, entry);
    const generation = change.object.metadata.generation ?? 1;
    if (known !== undefined && entry.compiledGeneration === generation) return;
    entry.givenUp = 0;
    if (!entry.working) void this.#work(change.key, entry);
  }

  state(name: string): LibraryState | undefined {
    return this.#entries.get(name);
  }

  served(): ServedRule[] {
    return [...this.#entries.values()].flatMap(({ served }) => (served === undefined ? [] : [served]));
  }

  /** Switched off by its newest version, be that one good or not: what is broken must be easy to stop. */
  suspended(name: string): boolean {
    return this.#entries.get(name)?.latest.spec.suspend === true;
  }

  /** The rules that have not been looked at since they changed: a replica that has some is not ready. */
  pending(): string[] {
    return [...this.#entries]
      .filter(([, { working, givenUp }]) => working && givenUp === 0)
      .map(([name]) => name);
  }

  count(name: string, counts: Partial<Counts>): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    for (const key of ['evaluations', 'denials', 'warnings', 'errors'] as const)
      entry.counts[key] += counts[key] ?? 0;
  }

  failed(name: string, message: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    entry.counts.errors += 1;
    entry.lastError = message;
  }

  /** Told the name of a rule whenever what is served of it changed. */
  onChange(listener: (name: string) => void): void {
    this.#listeners.add(listener);
  }

  #remove(name: string): void {
    const entry = this.#entries.get(name);
    this.#entries.delete(name);
    if (entry?.served !== undefined) this.#options.engine.unload(entry.served.id);
    this.#tell(name);
  }

  /** Compiles until the newest version has been looked at; one compilation of a rule at a time. */
  async #work(name: string, entry: Entry, again = false): Promise<void> {
    entry.working = true;
    let due = again;
    try {
      while (
        this.#entries.get(name) === entry &&
        (due || entry.compiledGeneration !== (entry.latest.metadata.generation ?? 1))
      ) {
        due = false;
        await this.#compile(name, entry, entry.latest);
      }
    } catch (error) {
      this.#options.log.error('a rule could not be looked at', { rule: name, error });
    } finally {
      entry.working = false;
      this.#tell(name);
    }
    if (isOfTheMachine(entry.faults)) void this.#tryAgain(name, entry);
  }

  /** What a busy machine did not compile in time may be a good rule: nobody would edit it to have it tried again. */
  async #tryAgain(name: string, entry: Entry): Promise<void> {
    const { clock, signal } = this.#options;
    const generation = entry.compiledGeneration;
    await sleep(clock, Math.min(LAST_RETRY_MS, RETRY_MS * 2 ** entry.givenUp), signal);
    const same = this.#entries.get(name) === entry && entry.compiledGeneration === generation;
    if (signal.aborted || !same || entry.working) return;
    entry.givenUp += 1;
    await this.#work(name, entry, true);
  }

  async #compile(name: string, entry: Entry, rule: PolicyRule): Promise<void> {
    const { log, signal } = this.#options;
    const source = sourceOf(rule);
    const generation = rule.metadata.generation ?? 1;
    const before = entry.served;
    // What was restored is not what the spec of its rule says.
    const known = before !== undefined && before.generation > 0 && deepEqual(sourceOf(before.rule), source);
    try {
      const found = await inspect(rule, source, this.#options, signal, known ? before.policy : undefined);
      const { policy, parameters, faults, results } = found;
      if (policy !== undefined && isGood(faults))
        this.#serve(name, entry, { rule, source, policy, parameters, generation });
      entry.faults = faults;
      entry.testsRun = results.length;
    } catch (error) {
      entry.faults = { ...NO_FAULTS, compile: [{ message: messageOf(error) }] };
      entry.testsRun = 0;
    }
    if (!isGood(entry.faults)) {
      entry.lastError = allOf(entry.faults).map(describeProblem).join('; ');
      log.warn('a version of a rule is not put in force; the last good version stays', {
        rule: name,
        error: entry.lastError,
      });
      if (entry.served === undefined) await this.#restore(name, entry, rule);
    }
    entry.compiledGeneration = generation;
  }

  /** After a restart: the last good text is in the status, the last good spec is not; today's spec stands in for it. */
  async #restore(name: string, entry: Entry, rule: PolicyRule): Promise<void> {
    const source = lastGoodSource(rule);
    if (source === undefined) return;
    const { spec, status } = rule;
    const parameters =
      status?.compiledParameters ?? parameterCheck(spec.parametersSchema).check(spec.parameters).parameters;
    try {
      const policy = await this.#options.compile(source, this.#options.signal);
      // Generation 0: what is served is older than every version of the spec that is known.
      this.#serve(name, entry, { rule, source, policy, parameters, generation: 0 });
    } catch (error) {
      this.#options.log.error('the last good version of a rule does not compile any more', {
        rule: name,
        error: messageOf(error),
      });
    }
  }

  #serve(name: string, entry: Entry, { rule, source, policy, parameters, generation }: Version): void {
    // The rule may have been deleted while it was compiled.
    if (this.#entries.get(name) !== entry) return;
    const { engine } = this.#options;
    const before = entry.served;
    this.#serial += 1;
    const kept = before?.policy === policy ? before.id : undefined;
    const id = kept ?? `${name}#${String(this.#serial)}`;
    if (kept === undefined) engine.load(id, policy);
    entry.served = {
      name,
      rule,
      generation,
      policy,
      id,
      reads: source.kind === 'rego' ? 'review' : 'object',
      parameters: JSON.stringify(parameters),
    };
    if (kept === undefined && before !== undefined) engine.unload(before.id);
    this.#tell(name);
  }

  #tell(name: string): void {
    for (const listener of this.#listeners) listener(name);
  }
}

/** No fault of the rule that is known: the compiler was ended, or could not be run. */
function isOfTheMachine({ compile }: Faults): boolean {
  return compile.some(({ code }) => code === undefined || code === 'limit' || code === 'no_opa');
}

function fresh(rule: PolicyRule): Entry {
  const counts = { evaluations: 0, denials: 0, warnings: 0, errors: 0 };
  return {
    latest: rule,
    working: false,
    givenUp: 0,
    served: undefined,
    compiledGeneration: 0,
    faults: NO_FAULTS,
    testsRun: 0,
    counts,
    lastError: undefined,
  };
}

type Code = Pick<PolicyRule['spec'], 'rego' | 'libs' | 'regoQuery'> &
  Partial<Pick<PolicyRule['spec'], 'regoVersion'>>;

/** Of a rule in the cluster, or of one in a file, which the API server's defaults have not reached. */
export function sourceOf({ spec }: { spec: Code }): PolicySource {
  const { regoVersion = 'V1' } = spec;
  return spec.regoQuery === undefined
    ? { kind: 'rego', rego: spec.rego ?? '', libs: spec.libs ?? [], regoVersion }
    : { kind: 'query', query: spec.regoQuery, regoVersion };
}

function lastGoodSource({ status }: PolicyRule): PolicySource | undefined {
  if (status?.compiledRego === undefined) return undefined;
  const { compiledRego: rego, compiledLibs: libs = [], compiledRegoVersion: regoVersion = 'V1' } = status;
  return status.compiledFrom === 'RegoQuery'
    ? { kind: 'module', rego, regoVersion }
    : { kind: 'rego', rego, libs, regoVersion };
}
