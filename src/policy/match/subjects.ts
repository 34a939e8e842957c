/** Who asks: users, groups and service accounts, after the subjects of RBAC, with globs. */
import type { UserInfo } from '../../runtime/webhook/review.ts';
import { matchesGlob } from './glob.ts';

export interface Subject {
  kind: 'User' | 'Group' | 'ServiceAccount';
  name: string;
  /** of a ServiceAccount only */
  namespace?: string;
}

/** As the API server names a service account; neither part can hold a colon. */
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** Without `subjects` everybody is meant; nobody known (an audit, a file) is none of the subjects. */
export function matchesSubjects(
  subjects: readonly Subject[] | undefined,
  excluded: readonly Subject[] | undefined,
  user: UserInfo | undefined,
): boolean {
  const is = (subject: Subject): boolean => isSubject(subject, user ?? {});
  return (subjects?.some(is) ?? true) && excluded?.some(is) !== true;
}

function isSubject({ kind, name, namespace = '' }: Subject, { username, groups = [] }: UserInfo): boolean {
  if (kind === 'Group') return groups.some((group) => matchesGlob(name, group));
  if (username === undefined) return false;
  if (kind === 'User') return matchesGlob(name, username);
  const [, home, account] = SERVICE_ACCOUNT.exec(username) ?? [];
  if (home === undefined || account === undefined) return false;
  return matchesGlob(namespace, home) && matchesGlob(name, account);
}
