/** One kind's types.gen.ts and crd.gen.ts out of its CRD. */
import { compile } from 'json-schema-to-typescript';
import type { JSONSchema } from 'json-schema-to-typescript';
import { storedVersion } from '../../src/runtime/schema.ts';
import type { CustomResourceDefinition, Schema } from '../../src/runtime/schema.ts';
import type { CrdFile } from './crds.ts';

const BANNER = '// Generated from crds/FILE by `npm run generate`. Do not edit.\n';

/**
 * A structural schema in the words of JSON Schema. Fields with a default become required: the API server fills them in
 * on every write *and* read, and `applyDefaults` does for what comes from files, so no reader has to guess again.
 */
export function toJsonSchema(schema: Schema): JSONSchema {
  if (schema['x-kubernetes-int-or-string'] === true) {
    return { description: schema.description, type: ['integer', 'string'] };
  }
  const { properties, items, additionalProperties } = schema;
  const result: Record<string, unknown> = { description: schema.description, enum: schema.enum };
  if (schema.type !== undefined)
    result['type'] = schema.nullable === true ? [schema.type, 'null'] : schema.type;
  if (items !== undefined) result['items'] = toJsonSchema(items);
  if (schema.type === 'object') {
    const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
    result['additionalProperties'] =
      typeof additionalProperties === 'object' ? toJsonSchema(additionalProperties) : open;
  }
  if (properties !== undefined) {
    result['properties'] = Object.fromEntries(
      Object.entries(properties).map(([name, field]) => [name, toJsonSchema(field)]),
    );
    const present = Object.keys(properties).filter(
      (name) => (schema.required?.includes(name) ?? false) || properties[name]?.default !== undefined,
    );
    result['required'] = present;
  }
  return JSON.parse(JSON.stringify(result)) as JSONSchema;
}

async function interfaceOf(name: string, schema: Schema): Promise<string> {
  return compile({ ...toJsonSchema(schema), title: name }, name, {
    bannerComment: '',
    ignoreMinAndMaxItems: true,
    style: { singleQuote: true, printWidth: 110 },
  });
}

export async function typesOf({ crd, file }: CrdFile): Promise<string> {
  const { kind } = crd.spec.names;
  const root = storedVersion(crd).schema.openAPIV3Schema;
  const { spec, status } = root.properties ?? {};
  if (spec === undefined || status === undefined)
    throw new Error(`${file}: the schema needs spec and status`);
  return [
    BANNER.replace('FILE', file),
    "import type { Resource } from '../../runtime/resource.ts';\n",
    await interfaceOf(`${kind}Spec`, spec),
    await interfaceOf(`${kind}Status`, status),
    ...(root.description === undefined ? [] : [`/** ${root.description} */`]),
    `export type ${kind} = Resource<${kind}Spec, ${kind}Status>;\n`,
  ].join('\n');
}

/** The CRD as data: the running operator knows its schema and can install it without any file beside it. */
export function crdModule({ crd, file }: CrdFile): string {
  const { group, names, scope } = crd.spec;
  const type = {
    group,
    version: storedVersion(crd).name,
    kind: names.kind,
    plural: names.plural,
    namespaced: scope === 'Namespaced',
  };
  return [
    BANNER.replace('FILE', file),
    "import type { ResourceType } from '../../runtime/resource.ts';",
    "import type { CustomResourceDefinition } from '../../runtime/schema.ts';\n",
    `export const type: ResourceType = ${JSON.stringify(type, null, 2)};\n`,
    `export const crd: CustomResourceDefinition = ${JSON.stringify(crd, null, 2)};\n`,
  ].join('\n');
}

export function folderOf(service: string, crd: CustomResourceDefinition): string {
  return `src/${service}/${crd.spec.names.singular}`;
}
