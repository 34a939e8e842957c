/** The one list of services and their kinds: RBAC, the webhook configuration, documents and metrics derive from it. */
import { policyRule } from './policy/policyrule/kind.ts';
import { startPolicy } from './policy/service.ts';
import { permissionsOf, type Permissions } from './runtime/permissions.ts';
import { defineService, type Service } from './runtime/service.ts';

/** In the order in which their gates are asked at admission. */
export const services: readonly Service[] = [
  defineService({ name: 'policy', start: startPolicy, kinds: [policyRule] }),
];

export const kinds = services.flatMap(({ name, kinds }) => kinds.map((kind) => ({ ...kind, service: name })));

export const permissions: Permissions = permissionsOf(kinds);
