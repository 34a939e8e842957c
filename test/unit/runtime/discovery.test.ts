import { describe, expect, it } from '@jest/globals';
import type { Client } from '../../../src/runtime/client.ts';
import { AGGREGATED, discover } from '../../../src/runtime/discovery.ts';

const resource = (name: string, kind: string | undefined, scope = 'Namespaced') => ({
  resource: name,
  scope,
  ...(kind === undefined ? {} : { responseKind: { group: '', version: '', kind } }),
});

const POD = {
  ...resource('pods', 'Pod'),
  subresources: [
    { subresource: 'exec', responseKind: { group: '', kind: 'PodExecOptions' } },
    { subresource: 'eviction', responseKind: { group: 'policy', kind: 'Eviction' } },
    { subresource: 'resize' },
  ],
};

/** Answers as the API server does, version by version in the order of its preference. */
function server(documents: Record<string, unknown>) {
  const accepted: (string | undefined)[] = [];
  const client: Partial<Client> = {
    raw: (_method, path, { accept } = {}) => {
      accepted.push(accept);
      return Promise.resolve(documents[path] as never);
    },
  };
  return { client: client as Client, accepted };
}

describe('discover', () => {
  it("takes each resource from the first version that has it, the group's preferred one", async () => {
    const { client, accepted } = server({
      '/api': {
        items: [{ metadata: {}, versions: [{ version: 'v1', resources: [POD] }] }],
      },
      '/apis': {
        items: [
          {
            metadata: { name: 'autoscaling' },
            versions: [
              { version: 'v2', resources: [resource('horizontalpodautoscalers', 'HorizontalPodAutoscaler')] },
              {
                version: 'v1',
                resources: [
                  resource('horizontalpodautoscalers', 'HorizontalPodAutoscaler'),
                  resource('olds', 'Old', 'Cluster'),
                ],
              },
            ],
          },
        ],
      },
    });
    expect(await discover(client)).toEqual([
      {
        group: '',
        version: 'v1',
        kind: 'Pod',
        plural: 'pods',
        namespaced: true,
        subresources: [
          { name: 'exec', group: '', kind: 'PodExecOptions' },
          { name: 'eviction', group: 'policy', kind: 'Eviction' },
          { name: 'resize', group: '', kind: 'Pod' },
        ],
      },
      {
        group: 'autoscaling',
        version: 'v2',
        kind: 'HorizontalPodAutoscaler',
        plural: 'horizontalpodautoscalers',
        namespaced: true,
        subresources: [],
      },
      {
        group: 'autoscaling',
        version: 'v1',
        kind: 'Old',
        plural: 'olds',
        namespaced: false,
        subresources: [],
      },
    ]);
    expect(accepted).toEqual([AGGREGATED, AGGREGATED]);
  });

  it('passes over what is no kind, what is empty and what is missing', async () => {
    const { client } = server({
      '/api': {},
      '/apis': {
        items: [
          {},
          { metadata: { name: 'x' }, versions: [{ version: 'v1' }] },
          {
            metadata: { name: 'y' },
            versions: [{ version: 'v1', resources: [resource('bare', undefined)] }],
          },
        ],
      },
    });
    expect(await discover(client)).toEqual([]);
  });
});
