/** docs/security.md says what is so: its files are there, and no right is missing. */
import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { rightsTable } from '../../../scripts/generate/rights.ts';
import type { Permission, Permissions } from '../../../src/runtime/permissions.ts';

const DOC = readFileSync('docs/security.md', 'utf8');
const RBAC = load(readFileSync('charts/cogniforge/files/rbac.yaml', 'utf8')) as Permissions;

/** `where group resource names verb` of each single right. */
function rightsOf({ cluster, namespace }: Permissions): string[] {
  const single = (where: string, { apiGroups, resources, verbs, resourceNames = [] }: Permission): string[] =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.map((verb) =>
          [where, group === '' ? '(core)' : group, resource, ...resourceNames, verb].join(' '),
        ),
      ),
    );
  return [
    ...cluster.flatMap((permission) => single('cluster', permission)),
    ...namespace.flatMap((permission) => single('own namespace', permission)),
  ];
}

/** The same, read out of the table of a text. */
function documented(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, where]) => where === 'cluster' || where === 'own namespace')
    .flatMap(([, where = '', group = '', resource = '', verbs = '', worth = '']) =>
      worth === ''
        ? []
        : verbs.split(', ').map((verb) => [where, group, resource.replaceAll('`', ''), verb].join(' ')),
    );
}

describe('the table of rights', () => {
  it('holds every right that the chart gives, and no other', () => {
    expect(rightsOf(RBAC).length).toBeGreaterThan(30);
    expect(documented(DOC).toSorted()).toEqual(rightsOf(RBAC).toSorted());
  });

  it('cannot be made of a right of which nobody has said what it is worth', () => {
    const more = (permission: Permission): Permissions => ({
      ...RBAC,
      cluster: [...RBAC.cluster, permission],
    });
    const pods = { apiGroups: [''], resources: ['pods'], verbs: ['list'] };
    expect(() => rightsTable(more(pods))).toThrow(/say what it gives an attacker to read \/pods/);
    const deletion = { apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'delete'] };
    expect(() => rightsTable(more(deletion))).toThrow(/to delete \/namespaces/);
    const anyName = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] };
    expect(() => rightsTable(more(anyName))).toThrow(/to read \/secrets,/);
  });

  it('holds the rights over a kind of our own by its group', () => {
    const slos = { apiGroups: ['cogniforge.dev'], resources: ['slos'], verbs: ['get', 'update'] };
    expect(rightsTable({ cluster: [slos], namespace: [] })).toContain(
      '| cluster | cogniforge.dev | `slos` | update |',
    );
  });
});

describe('the files', () => {
  const named = [...DOC.matchAll(/`([\w.-]+\/[\w./-]+|\w+\.md)`/g)]
    .map(([, path = '']) => path)
    .filter((path) => /\.(ts|md|yaml|mod|tpl)$/.test(path));

  it('that are named as holding what is said are there', () => {
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter((path) => !existsSync(path))).toEqual([]);
  });
});
