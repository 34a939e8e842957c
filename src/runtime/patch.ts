/** The writes the runtime itself does to a resource, each conditional on the version that was decided on. */
import type { Client, PatchBody } from './client.ts';
import { deepEqual } from './json.ts';
import type { ObjectMeta, Resource, ResourceType } from './resource.ts';

/**
 * A JSON patch that replaces one top-level field. Replacing resourceVersion with the known one makes the API server
 * answer 409 when the object has moved on (a `test` would be answered with 422, like a malformed patch).
 */
function replacing(metadata: ObjectMeta, path: string, value: unknown): PatchBody {
  return {
    type: 'json',
    body: [
      { op: 'replace', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
      { op: 'add', path, value },
    ],
  };
}

/** Writes the whole status, unless it is what is there already. Returns the new object, undefined when nothing changed. */
export async function writeStatus<R extends Resource>(
  client: Client,
  type: ResourceType,
  resource: R,
  status: NonNullable<R['status']>,
  signal: AbortSignal,
): Promise<R | undefined> {
  if (deepEqual(resource.status, status)) return undefined;
  const patch = replacing(resource.metadata, '/status', status);
  return client.patch<R>(type, resource.metadata, patch, { subresource: 'status', signal });
}

export async function writeFinalizers<R extends Resource>(
  client: Client,
  type: ResourceType,
  resource: R,
  finalizers: readonly string[],
  signal: AbortSignal,
): Promise<R> {
  const patch = replacing(resource.metadata, '/metadata/finalizers', finalizers);
  return client.patch<R>(type, resource.metadata, patch, { signal });
}
