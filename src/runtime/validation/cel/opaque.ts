/**
 * Values of Kubernetes' own CEL types. The CEL library knows only protobuf messages as types of others, so each type is a
 * message without a schema of its own: its text makes it equal to another, what it stands for is kept beside it.
 */
import { create, createFileRegistry, type DescMessage, type Message } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { isReflectMessage, reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { objectType, type CelObjectType } from '@bufbuild/cel';

const NAMES = [
  'kubernetes.Quantity',
  'kubernetes.URL',
  'kubernetes.NamedFormat',
  'net.IP',
  'net.CIDR',
  'optional_type',
  'kubernetes.InvalidData',
] as const;

export type OpaqueName = (typeof NAMES)[number];

function fileOf(name: string) {
  const dot = name.lastIndexOf('.');
  return create(FileDescriptorProtoSchema, {
    name: `${name}.proto`,
    package: name.slice(0, Math.max(dot, 0)),
    syntax: 'proto3',
    messageType: [
      {
        name: name.slice(dot + 1),
        field: [
          {
            name: 'text',
            number: 1,
            type: FieldDescriptorProto_Type.STRING,
            label: FieldDescriptorProto_Label.OPTIONAL,
            jsonName: 'text',
          },
        ],
      },
    ],
  });
}

/** For the environment of the CEL library. */
export const opaqueTypes = createFileRegistry(create(FileDescriptorSetSchema, { file: NAMES.map(fileOf) }));

function descriptor(name: OpaqueName): DescMessage {
  const found = opaqueTypes.getMessage(name);
  if (found === undefined) throw new Error(`no descriptor of ${name}`);
  return found;
}

export interface OpaqueType<T> {
  type: CelObjectType;
  /** Two values are equal when their texts are. */
  wrap(value: T, text: string): ReflectMessage;
  /** Undefined for a value of another type. */
  unwrap(value: unknown): T | undefined;
}

export function opaqueType<T extends object>(name: OpaqueName): OpaqueType<T> {
  const desc = descriptor(name);
  const values = new WeakMap<Message, T>();
  return {
    type: objectType(desc),
    wrap(value, text) {
      const message = create(desc, { text });
      values.set(message, value);
      return reflect(desc, message);
    },
    unwrap: (value) => (isReflectMessage(value, desc) ? values.get(value.message) : undefined),
  };
}

const invalidData = opaqueType<object>('kubernetes.InvalidData');

/**
 * Stands for a value that is not of its schema, which only an update that left it as it was lets through. It is there,
 * and whatever reads it fails.
 */
export function invalid(): ReflectMessage {
  return invalidData.wrap({}, '');
}

export function isInvalid(value: unknown): boolean {
  return invalidData.unwrap(value) !== undefined;
}
