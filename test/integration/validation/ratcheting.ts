/** Objects from before a schema became stricter, and updates of them. */
import type { Case } from './cases.ts';
import { crdOf, objectOf, pick, placesOf, valuesFor, withValue, type Json } from './objects.ts';
import { RULE_VALUES, semantics } from './semantics.ts';
import { storedVersion } from '../../../src/runtime/schema.ts';

/** The same kind with a spec in which anything goes. */
export const lax = crdOf({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true });

const specSchema = storedVersion(semantics).schema.openAPIV3Schema.properties?.['spec'] ?? {};

const BAD: Readonly<Record<string, unknown>> = {
  type: { numbers: { int32: 'text' } },
  required: { numbers: { int32: 1 }, formats: undefined },
  format: { formats: { datetime: 'yesterday', ipv4: '1.2' } },
  length: { rules: { reason: 'x'.repeat(41) } },
  range: { numbers: { int64: -50, quota: 9 } },
  twins: { lists: { set: ['a', 'a'], numbers: [1] } },
  twinKeys: {
    lists: {
      map: [
        { name: 'a', port: 1 },
        { name: 'a', port: 1 },
      ],
    },
  },
  items: {
    lists: {
      map: [
        { name: 'a', port: 1, value: 7 },
        { name: 'b', port: 1 },
      ],
    },
  },
  kindless: { open: { pod: { metadata: {} } } },
  ...Object.fromEntries(
    Object.entries(RULE_VALUES).flatMap(([field, values]) =>
      values
        .slice(0, 3)
        .map((value, at) => [`rule-${field.toLowerCase()}-${String(at)}`, { rules: { [field]: value } }]),
    ),
  ),
};

export function laxObjects(): { name: string; object: Json }[] {
  return Object.entries(BAD).map(([label, fields]) => {
    const name = `old-${label.toLowerCase()}`;
    return { name, object: objectOf({ spec: { formats: {}, ...(fields as Json) } }, name) };
  });
}

/** Nothing changed; only a label; something elsewhere; the bad thing itself; one place at random. */
export function ratchetCases(stored: readonly Json[], random: () => number): Case[] {
  const places = placesOf(specSchema);
  return stored.flatMap((old) => {
    const spec = old['spec'] as Json;
    const metadata = old['metadata'] as Json;
    const changed = (label: string, fields: Json): Case => ({
      name: `${String(metadata['name'])}: ${label}`,
      object: { ...old, ...fields },
      old,
    });
    const elsewhere = { ...spec, nulls: { ...(spec['nulls'] as Json | undefined), nullable: 'changed' } };
    const beside = { ...spec, rules: { ...(spec['rules'] as Json | undefined), reason: 'beside' } };
    return [
      changed('no change', {}),
      changed('a label', { metadata: { ...metadata, labels: { a: 'b' } } }),
      changed('elsewhere', { spec: elsewhere }),
      changed('beside', { spec: beside }),
      ...Array.from({ length: 8 }, () => {
        const { steps, schema } = pick(random, places);
        const [name, value] = pick(random, valuesFor(schema));
        return changed(`spec.${steps.join('.')} = ${name}`, { spec: withValue(spec, steps, value) });
      }),
    ];
  });
}
