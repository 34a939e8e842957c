/** The operator works with exactly the generated rights, and says which one it lacks when one is taken away. */
import { eventually, must } from '../commands.ts';
import { NAMESPACE } from '../objects.ts';
import { logs, untilReady, type Stage } from '../stage.ts';

const ACCOUNT = `system:serviceaccount:${NAMESPACE}:cogniforge`;

interface Role {
  metadata: { name: string };
  rules: { resources?: string[]; verbs: string[] }[];
}

interface Binding {
  metadata: { name: string; namespace?: string };
  roleRef: { kind: string; name: string };
  subjects?: { kind: string; name: string; namespace?: string }[];
}

export async function rights(stage: Stage): Promise<string> {
  const bound = await bindings(stage);
  if (bound !== 'ClusterRole cogniforge, Role cogniforge') throw new Error(`bound to ${bound}`);
  const forbidden = /[^\n]*forbidden[^\n]*/i.exec(await logs(stage));
  if (forbidden !== null) throw new Error(`it was forbidden something: ${forbidden[0]}`);
  const before = await must(stage.kubectl('get clusterrole cogniforge -o json'));
  const line = await withoutRight(stage, before);
  await stage.kubectl('replace -f -', { ...(JSON.parse(before) as Role), metadata: bare(before) });
  await must(stage.kubectl(`rollout restart deployment/cogniforge -n ${NAMESPACE}`));
  await must(stage.kubectl(`rollout status deployment/cogniforge -n ${NAMESPACE} --timeout=120s`));
  await untilReady(stage);
  return `bound to ${bound}, nothing forbidden; without list on policyrules it is not Ready and logs ${line}`;
}

/** The roles that the operator's service account has, by any binding of the cluster. */
async function bindings({ kubectl }: Stage): Promise<string> {
  const text = await must(kubectl('get clusterrolebindings,rolebindings --all-namespaces -o json'));
  const { items } = JSON.parse(text) as { items: Binding[] };
  return items
    .filter(({ subjects = [] }) =>
      subjects.some(({ name, namespace }) => name === 'cogniforge' && namespace === NAMESPACE),
    )
    .map(({ roleRef }) => `${roleRef.kind} ${roleRef.name}`)
    .toSorted()
    .join(', ');
}

/** Takes `list` on policyrules away and starts the operator anew; resolves with the line in which it says so. */
async function withoutRight(stage: Stage, role: string): Promise<string> {
  const { rules, ...rest } = JSON.parse(role) as Role;
  const less = rules.map((rule) =>
    rule.resources?.includes('policyrules') === true
      ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== 'list') }
      : rule,
  );
  await must(stage.kubectl('replace -f -', { ...rest, metadata: bare(role), rules: less }));
  await must(stage.kubectl(`rollout restart deployment/cogniforge -n ${NAMESPACE}`));
  const line = await eventually('the log names the verb', async () => {
    const lines = (await logs(stage)).split('\n').filter((text) => text.startsWith('{'));
    const texts = lines.flatMap((text) => Object.values(JSON.parse(text) as Record<string, unknown>));
    const said = `User "${ACCOUNT}" cannot list resource "policyrules"`;
    return texts.find((text): text is string => typeof text === 'string' && text.includes(said));
  });
  const { ok } = await stage.kubectl(`rollout status deployment/cogniforge -n ${NAMESPACE} --timeout=5s`);
  if (ok) throw new Error('it became Ready without a right that it needs');
  return line;
}

/** Without the version, for a later change is to be overwritten too. */
function bare(role: string): object {
  const { metadata } = JSON.parse(role) as { metadata: Record<string, unknown> };
  return { ...metadata, resourceVersion: undefined };
}
