/** The network policies are there. Whether they are enforced is the network plugin's business. */
import { must } from '../commands.ts';
import { NAMESPACE } from '../objects.ts';
import type { Stage } from '../stage.ts';

export async function network({ kubectl }: Stage): Promise<string> {
  const text = await must(
    kubectl(`get networkpolicies -n ${NAMESPACE} -o jsonpath={.items[*].metadata.name}`),
  );
  const names = text.trim().split(' ');
  for (const name of ['cogniforge', 'cogniforge-operator'])
    if (!names.includes(name)) throw new Error(`there is no NetworkPolicy ${name}, only: ${text}`);
  return `NetworkPolicies ${names.join(', ')} exist; NOT shown that they hold: a node of \`cluster up --node\` has the CNI plugin ptp, which enforces none`;
}
