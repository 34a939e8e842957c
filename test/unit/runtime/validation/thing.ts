/** A CRD made of one schema, and what is said of objects of it. */
import type { CustomResourceDefinition, Schema } from '../../../../src/runtime/schema.ts';
import {
  validate,
  type Validation,
  type ValidationOptions,
} from '../../../../src/runtime/validation/validate.ts';

export type Json = Record<string, unknown>;

export function crdOf(
  spec: Schema,
  more: { status?: Schema; scope?: 'Cluster' | 'Namespaced' } = {},
): CustomResourceDefinition {
  const { status, scope = 'Cluster' } = more;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.test.dev' },
    spec: {
      group: 'test.dev',
      scope,
      names: { kind: 'Thing', plural: 'things', singular: 'thing' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          ...(status === undefined ? {} : { subresources: { status: {} } }),
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec, ...(status === undefined ? {} : { status }) },
            },
          },
        },
      ],
    },
  };
}

export function thing(fields: Json, metadata: unknown = { name: 'it' }): Json {
  return { apiVersion: 'test.dev/v1', kind: 'Thing', metadata, ...fields };
}

/** Validates `{ it: value }` against a spec with the one field; absent when the value is undefined. */
export function judge(schema: Schema, value: unknown, old?: unknown): { it: unknown; problems: string[] } {
  const crd = crdOf({ type: 'object', properties: { it: schema } });
  const objectOf = (it: unknown): Json => thing({ spec: it === undefined ? {} : { it } });
  const made = validate(crd, objectOf(value), old === undefined ? undefined : objectOf(old));
  return { it: (made.object['spec'] as Json | undefined)?.['it'], problems: lines(made) };
}

export function check(
  crd: CustomResourceDefinition,
  object: unknown,
  old?: unknown,
  options?: ValidationOptions,
): string[] {
  return lines(validate(crd, object, old, options));
}

function lines({ problems }: Validation): string[] {
  return problems.map(({ code, path }) => `${code.replace('FieldValue', '')} ${path}`);
}
