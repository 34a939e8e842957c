/** The parts of a CustomResourceDefinition (apiextensions.k8s.io/v1) that the operator reads of its own CRDs. */

export type SchemaType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';

/** A CEL rule of a CRD. */
export interface ValidationRule {
  rule: string;
  message?: string;
  /** CEL that yields the message; wins over `message` */
  messageExpression?: string;
  reason?: string;
  /** where the problem is shown, relative to the rule's own place: `.libs` */
  fieldPath?: string;
  /** with true a rule about `oldSelf` also runs where there is no old value */
  optionalOldSelf?: boolean;
}

/** A structural schema: JSON Schema as the API server knows it, with its x-kubernetes words. */
export interface Schema {
  description?: string;
  type?: SchemaType;
  format?: string;
  properties?: Readonly<Record<string, Schema>>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  required?: readonly string[];
  enum?: readonly unknown[];
  default?: unknown;
  nullable?: boolean;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  maxProperties?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-list-map-keys'?: readonly string[];
  'x-kubernetes-map-type'?: 'atomic' | 'granular';
  'x-kubernetes-validations'?: readonly ValidationRule[];
}

export interface PrinterColumn {
  name: string;
  type: string;
  jsonPath: string;
  description?: string;
  priority?: number;
}

export interface CustomResourceVersion {
  name: string;
  served: boolean;
  storage: boolean;
  schema: { openAPIV3Schema: Schema };
  subresources?: { status?: object };
  additionalPrinterColumns?: readonly PrinterColumn[];
}

export interface CustomResourceDefinition {
  apiVersion: 'apiextensions.k8s.io/v1';
  kind: 'CustomResourceDefinition';
  metadata: { name: string; annotations?: Record<string, string>; labels?: Record<string, string> };
  spec: {
    group: string;
    scope: 'Namespaced' | 'Cluster';
    names: {
      kind: string;
      listKind?: string;
      plural: string;
      singular: string;
      shortNames?: readonly string[];
      categories?: readonly string[];
    };
    versions: readonly CustomResourceVersion[];
  };
}

/** The version that is stored: the one the operator reads and writes. Throws where the CRD has none. */
export function storedVersion(crd: CustomResourceDefinition): CustomResourceVersion {
  const stored = crd.spec.versions.find((version) => version.storage);
  if (stored === undefined) throw new Error(`${crd.metadata.name}: no version has storage: true`);
  return stored;
}
