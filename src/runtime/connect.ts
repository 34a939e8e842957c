/** From settings to a client of one API server. */
import { inClusterEndpoint, kubeconfigEndpoint, type Endpoint } from './auth.ts';
import { createClient, type Client } from './client.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { httpsTransport } from './transport.ts';

/** The kubeconfig that was given, else the pod's service account. Throws ConfigError. */
export async function connect(
  { kubeconfig, context }: Pick<Config, 'kubeconfig' | 'context'>,
  env: NodeJS.ProcessEnv,
  clock: Clock,
  observe: (method: string, code: number, host: string) => void,
): Promise<{ client: Client; endpoint: Endpoint }> {
  const endpoint =
    kubeconfig === undefined
      ? await inClusterEndpoint(env, clock)
      : await kubeconfigEndpoint(kubeconfig, clock, context);
  const { host } = new URL(endpoint.server);
  const client = createClient({
    transport: httpsTransport(endpoint),
    credentials: endpoint.credentials,
    clock,
    observe: (method, code) => {
      observe(method, code, host);
    },
  });
  return { client, endpoint };
}
