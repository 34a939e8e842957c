/**
 * The table of rights in docs/security.md: every right that the operator has, and what it is worth to somebody who has
 * taken its pod. A right of which nobody has said that is an error: who asks for one thinks about it first.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Permission, Permissions } from '../../src/runtime/permissions.ts';
import { between } from './between.ts';

export const SECURITY_DOC = 'docs/security.md';
const READING: ReadonlySet<string> = new Set(['get', 'list', 'watch']);
/** The group of our own kinds: what the rights over them are worth is the same for each. */
const OWN_GROUP = 'cogniforge.dev';

/** By `GROUP/RESOURCE` and, where the right is held to names, ` NAME`; then by verb, get, list and watch being `read`. */
const WORTH: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'apiextensions.k8s.io/customresourcedefinitions': {
    read: 'Which kinds the cluster has, with their schemas. No objects.',
  },
  'admissionregistration.k8s.io/validatingwebhookconfigurations': {
    read: 'What other webhooks check, and where they are reached.',
    create:
      '**The strongest right of all.** A create cannot be held to a name: a new webhook, with any URL, over any kind. It is sent every object that is written from then on, Secrets and the tokens in TokenReviews among them, and may refuse each. It changes none, and sees nothing that was written before.',
  },
  'admissionregistration.k8s.io/validatingwebhookconfigurations cogniforge': {
    update: 'The same by way of our own configuration; or it is emptied, and no rule is enforced.',
  },
  'events.k8s.io/events': {
    create: 'Events that mislead, in any namespace.',
    patch: 'The Events of others falsified.',
  },
  'rbac.authorization.k8s.io/clusterroles cogniforge': { read: 'This table.' },
  '/namespaces': { read: 'Names, labels and annotations of all namespaces.' },
  'coordination.k8s.io/leases': {
    read: 'Who leads, and what each replica serves. Leases of this namespace only, here and below.',
    create: 'A replica that does not exist: statuses say that a rule is not served everywhere.',
    update: 'Leadership taken and kept: nothing is reconciled any more; admission goes on.',
    patch: 'As update; and a report falsified: counts in statuses are wrong.',
    delete: 'As update, for as long as it is repeated.',
  },
  '/configmaps': { create: 'ConfigMaps in this namespace. We ourselves only make dry runs of one.' },
  '/secrets': {
    create:
      'Secrets in this namespace. Where there is none of the name below it could be made as the token of another service account of this namespace, and then be read.',
  },
  '/secrets cogniforge-webhook-tls': {
    read: 'The keys of the webhook and of its CA: who can also put himself between the API server and us reads and answers reviews in our place.',
    update: 'A CA of somebody else, which the leader then publishes: the same, and it outlives the pod.',
  },
};

const OWN_WORTH: Readonly<Record<string, string>> = {
  read: 'All resources of this kind: what is enforced, where, and what is not.',
  update:
    'Any of them changed: suspended, or made to refuse everything, or made to quote what it sees (Secrets too) in refusals, warnings and the audit log. None made, none deleted.',
  patch: 'As update.',
  'status update':
    'A status that lies. The last good version of a rule is in its status, and is served after a restart where the spec does not compile.',
  'status patch': 'As update.',
  'finalizers update':
    'Owner references that block a deletion. No finalizer: that is an update of the object.',
};

/** The rows of both roles. Throws where a right has nothing said about it. */
export function rightsTable({ cluster, namespace }: Permissions): string {
  const rows = [
    ...cluster.flatMap((permission) => rowsOf('cluster', permission)),
    ...namespace.flatMap((permission) => rowsOf('own namespace', permission)),
  ];
  return [
    '| where | group | resource | verbs | what it gives an attacker |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** docs/security.md with the table of today. */
export function withRights(root: string, permissions: Permissions): Map<string, string> {
  const page = readFileSync(join(root, SECURITY_DOC), 'utf8');
  const table = rightsTable(permissions);
  return new Map([[SECURITY_DOC, between(page, 'rights', 'src/kinds.ts', table, SECURITY_DOC)]]);
}

function rowsOf(where: string, { apiGroups, resources, verbs, resourceNames }: Permission): string[] {
  const names = resourceNames === undefined ? '' : ` ${resourceNames.join(', ')}`;
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbGroups(verbs).map(([word, members]) => {
        const worth = worthOf(group, resource, names, word);
        const cells = [
          where,
          group === '' ? '(core)' : group,
          `\`${resource}\`${names}`,
          members.join(', '),
          worth,
        ];
        return `| ${cells.join(' | ')} |`;
      }),
    ),
  );
}

/** Reading is one thing, however it is done; every other verb is its own. */
function verbGroups(verbs: readonly string[]): [word: string, members: string[]][] {
  const reading = verbs.filter((verb) => READING.has(verb));
  const others = verbs.filter((verb) => !READING.has(verb));
  return [
    ...(reading.length === 0 ? [] : [['read', reading] as [string, string[]]]),
    ...others.map((verb): [string, string[]] => [verb, [verb]]),
  ];
}

function worthOf(group: string, resource: string, names: string, word: string): string {
  const [, subresource] = resource.split('/');
  const own = OWN_WORTH[subresource === undefined ? word : `${subresource} ${word}`];
  const worth = group === OWN_GROUP ? own : WORTH[`${group}/${resource}${names}`]?.[word];
  if (worth === undefined)
    throw new Error(
      `scripts/generate/rights.ts: say what it gives an attacker to ${word} ${group}/${resource}${names}, for ${SECURITY_DOC}`,
    );
  return worth;
}
