/** A template's openAPIV3Schema as a structural schema. Gatekeeper takes looser ones (legacySchema). */
import { isRecord } from '../../runtime/json.ts';
import type { Loose } from './objects.ts';

/** What the recursion may cost; what is deeper is refused by the check of the schema. */
const MAX_DEPTH = 40;

/** Types that are left out are told from what a schema is about; where nothing tells, anything goes. */
export function structural(schema: unknown, depth = 0): Loose {
  if (!isRecord(schema) || depth > MAX_DEPTH) return {};
  const { properties, items, additionalProperties, ...rest } = schema;
  const open = rest['x-kubernetes-int-or-string'] === true;
  return {
    ...rest,
    ...(rest['type'] === undefined && !open ? typeOf(schema, depth) : {}),
    ...(isRecord(properties)
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, field]) => [name, structural(field, depth + 1)]),
          ),
        }
      : {}),
    ...(items === undefined ? {} : { items: structural(items, depth + 1) }),
    ...(isRecord(additionalProperties)
      ? { additionalProperties: structural(additionalProperties, depth + 1) }
      : additionalProperties === true
        ? { additionalProperties }
        : {}),
  };
}

function typeOf({ properties, items, additionalProperties }: Loose, depth: number): Loose {
  if (properties !== undefined || additionalProperties !== undefined) return { type: 'object' };
  if (items !== undefined) return { type: 'array' };
  return { ...(depth === 0 ? { type: 'object' } : {}), 'x-kubernetes-preserve-unknown-fields': true };
}
