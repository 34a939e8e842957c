/** A CRD that keeps every convention, for tests that break one. */
import type {
  CustomResourceDefinition,
  CustomResourceVersion,
  PrinterColumn,
  Schema,
} from '../../../src/runtime/schema.ts';

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

interface Parts {
  crd: CustomResourceDefinition;
  version: CustomResourceVersion;
  columns: PrinterColumn[];
  /** of the whole object */
  schema: Mutable<Schema>;
  spec: Record<string, Schema>;
  status: Mutable<Schema>;
  statusFields: Record<string, Schema>;
}

const text: Schema = { description: 'd', type: 'string', maxLength: 64 };

function soundStatus(): Record<string, Schema> {
  return {
    observedGeneration: { description: 'd', type: 'integer', format: 'int64', minimum: -1 },
    conditions: {
      description: 'd',
      type: 'array',
      maxItems: 16,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: {
        description: 'd',
        type: 'object',
        required: ['type'],
        properties: { type: text, status: text, reason: text },
      },
    },
  };
}

export function soundCrd(spoil?: (parts: Parts) => unknown): CustomResourceDefinition {
  const columns: PrinterColumn[] = [
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
    { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ];
  const spec: Record<string, Schema> = {
    suspend: { description: 'd', type: 'boolean', default: false },
    size: { description: 'd', type: 'integer', maximum: 9 },
  };
  const statusFields = soundStatus();
  const status: Schema = {
    description: 'd',
    type: 'object',
    default: { observedGeneration: -1 },
    properties: statusFields,
  };
  const schema: Schema = {
    type: 'object',
    required: ['spec'],
    properties: {
      metadata: { type: 'object' },
      spec: { description: 'd', type: 'object', properties: spec },
      status,
    },
  };
  const version: CustomResourceVersion = {
    name: 'v1alpha1',
    served: true,
    storage: true,
    subresources: { status: {} },
    additionalPrinterColumns: columns,
    schema: { openAPIV3Schema: schema },
  };
  const crd: CustomResourceDefinition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.cogniforge.dev' },
    spec: {
      group: 'cogniforge.dev',
      scope: 'Namespaced',
      names: {
        kind: 'Thing',
        plural: 'things',
        singular: 'thing',
        shortNames: ['th'],
        categories: ['cogniforge'],
      },
      versions: [version],
    },
  };
  spoil?.({ crd, version, columns, schema, spec, status, statusFields });
  return crd;
}
