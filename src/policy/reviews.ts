/** The texts that rules are evaluated on, each written once however many rules read it. */
import type { AdmissionRequest } from '../runtime/webhook/review.ts';
import { expansionBefore, type Expansion } from './expand.ts';
import { jsonText } from './json-text.ts';

/** JSON: what is `input.review` to a package, and what is `input` to a query. */
export interface Texts {
  review: string;
  object: string;
}

type Judged = Readonly<Record<'operation' | 'object' | 'oldObject', unknown>>;

export class Reviews {
  readonly #request: AdmissionRequest;
  readonly #written = new Map<string, Texts>();

  constructor(request: AdmissionRequest) {
    this.#request = request;
  }

  /** Of the object, or of the Pods that would be made of it. */
  now(expansion: Expansion | undefined): Texts {
    return this.#texts(expansion === undefined ? 'object' : 'expansion', expansion?.request ?? this.#request);
  }

  /** The same of the object as it is stored; undefined where there is none of the kind. */
  before(expansion: Expansion | undefined): Texts | undefined {
    const { operation, oldObject } = this.#request;
    if (operation !== 'UPDATE' || oldObject === undefined || oldObject === null) return undefined;
    // With itself as the old object: what a rule says of a change is not said of an object that stays as it is.
    if (expansion === undefined) return this.#texts('old object', { ...this.#request, object: oldObject });
    const before = expansionBefore(this.#request);
    return before === undefined ? undefined : this.#texts('old expansion', before.request);
  }

  #texts(key: string, request: AdmissionRequest): Texts {
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const texts = textsOf(request);
    this.#written.set(key, texts);
    return texts;
  }
}

/** A deleted object is judged as it was: the API server sends it as oldObject alone (Gatekeeper does the same). */
export function judgedObject({ operation, object, oldObject }: Partial<Judged>): unknown {
  return (operation === 'DELETE' ? oldObject : object) ?? null;
}

function textsOf(request: AdmissionRequest): Texts {
  const judged = judgedObject(request);
  const review = request.operation === 'DELETE' ? { ...request, object: judged } : request;
  return { review: jsonText(review), object: jsonText(judged) };
}
