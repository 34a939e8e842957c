/** From the bytes of a request to an AdmissionRequest, or to a clear word why not. */
import type { IncomingMessage } from 'node:http';
import { messageOf } from '../errors.ts';
import { isRecord, parseJson, stringifyJson } from '../json.ts';
import type { AdmissionRequest } from './review.ts';

/** Not answerable as a review: an HTTP status and a sentence. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
  readonly code: number;
  /** the review's uid, when that much could be read */
  readonly uid: string | undefined;

  constructor(code: number, message: string, uid?: string) {
    super(message);
    this.code = code;
    this.uid = uid;
  }
}

/**
 * A review holds the object and the old object, each at most 3 MiB (the API server's own limit on a request body), and
 * JSON escapes may grow them.
 */
export const MOST_BYTES = 8 * 1024 * 1024;

/** Deeper JSON is no Kubernetes object; recursion over it would exhaust the stack. */
const MOST_DEPTH = 500;

const OPERATIONS: ReadonlySet<unknown> = new Set(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']);

/** The body as text. Throws BadRequest: 413 too large, 400 cut or not UTF-8, 415 another content type. */
export async function readBody(request: IncomingMessage, mostBytes = MOST_BYTES): Promise<string> {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new BadRequest(
      415,
      `content type ${type === '' ? '(none)' : type.slice(0, 100)} is not accepted; send application/json`,
    );
  }
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) throw tooLarge(mostBytes);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > mostBytes) throw tooLarge(mostBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof BadRequest) throw error;
    throw new BadRequest(400, `the body was cut: ${messageOf(error)}`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new BadRequest(400, 'the body is not UTF-8');
  }
}

function tooLarge(mostBytes: number): BadRequest {
  return new BadRequest(413, `the body is larger than ${String(mostBytes)} bytes`);
}

/** The request of an AdmissionReview v1. Throws BadRequest. */
export function decodeReview(text: string): AdmissionRequest {
  if (depthOf(text) > MOST_DEPTH)
    throw new BadRequest(400, `the body is nested more than ${String(MOST_DEPTH)} levels deep`);
  let review: unknown;
  try {
    review = parseJson(text);
  } catch (error) {
    throw new BadRequest(400, `the body is not JSON: ${messageOf(error)}`);
  }
  if (!isRecord(review) || review['kind'] !== 'AdmissionReview' || !isRecord(review['request'])) {
    throw new BadRequest(400, 'the body is not an AdmissionReview with a request');
  }
  const request = review['request'];
  const uid = typeof request['uid'] === 'string' && request['uid'] !== '' ? request['uid'] : undefined;
  if (uid === undefined) throw new BadRequest(400, 'request.uid is missing');
  if (review['apiVersion'] !== 'admission.k8s.io/v1') {
    throw new BadRequest(
      400,
      `apiVersion ${shown(review['apiVersion'])} is not supported; send admission.k8s.io/v1`,
      uid,
    );
  }
  const problem = problemOf(request);
  if (problem !== undefined) throw new BadRequest(400, problem, uid);
  return request as unknown as AdmissionRequest;
}

/** A raw number or an object with a __proto__ of its own has no String(). */
function shown(value: unknown): string {
  return stringifyJson(value ?? null).slice(0, 100);
}

/** What a gate may rely on is checked here once, so that no gate has to. */
function problemOf(request: Record<string, unknown>): string | undefined {
  if (!OPERATIONS.has(request['operation']))
    return 'request.operation must be CREATE, UPDATE, DELETE or CONNECT';
  const { kind, resource, userInfo } = request;
  if (!isRecord(kind) || !['group', 'version', 'kind'].every((field) => typeof kind[field] === 'string')) {
    return 'request.kind must have group, version and kind';
  }
  if (!isRecord(resource) || typeof resource['resource'] !== 'string')
    return 'request.resource must have group, version and resource';
  for (const field of ['name', 'namespace', 'subResource']) {
    if (request[field] !== undefined && typeof request[field] !== 'string')
      return `request.${field} must be a string`;
  }
  for (const field of ['object', 'oldObject']) {
    const object = request[field];
    if (object === undefined || object === null) continue;
    if (!isRecord(object)) return `request.${field} must be an object`;
    const problem = metadataProblem(object['metadata']);
    if (problem !== undefined) return `request.${field}.${problem}`;
  }
  if (userInfo !== undefined && !isRecord(userInfo)) return 'request.userInfo must be an object';
  return undefined;
}

/** Options of a CONNECT have no metadata; where there is some, names and labels are strings. */
function metadataProblem(metadata: unknown): string | undefined {
  if (metadata === undefined) return undefined;
  if (!isRecord(metadata)) return 'metadata must be an object';
  for (const field of ['name', 'generateName', 'namespace']) {
    if (metadata[field] !== undefined && typeof metadata[field] !== 'string')
      return `metadata.${field} must be a string`;
  }
  for (const field of ['labels', 'annotations']) {
    const map = metadata[field];
    if (map === undefined || map === null) continue;
    if (!isRecord(map) || !Object.values(map).every((value) => typeof value === 'string'))
      return `metadata.${field} must be a map of strings`;
  }
  return undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The deepest nesting of brackets outside strings, without recursion and before anything recursive sees the text. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === BACKSLASH) at += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
  return deepest;
}
