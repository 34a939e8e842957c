/** deploy/kustomize renders what the chart renders. */
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kustomizeFiles, withoutHelm } from '../../../scripts/generate/kustomize.ts';
import { toolPath } from '../../cluster/tools.ts';
import { manifests, must, run, template, type KubernetesManifest } from './stage.ts';

const BASE = join('deploy', 'kustomize');

async function kustomized(folder: string): Promise<KubernetesManifest[]> {
  return manifests(must(run(await toolPath('kubectl'), ['kustomize', folder])));
}

function byName(objects: readonly { kind: string; metadata: { name: string } }[]): Record<string, unknown> {
  return Object.fromEntries(objects.map((object) => [`${object.kind} ${object.metadata.name}`, object]));
}

describe('deploy/kustomize', () => {
  it("is the chart's default, object by object, and its Namespace", async () => {
    const { 'Namespace cogniforge-system': namespace, ...rest } = byName(await kustomized(BASE));
    expect(rest).toEqual(byName(await withoutHelm()));
    expect(JSON.stringify(namespace)).toContain('"pod-security.kubernetes.io/enforce":"restricted"');
  });

  it('says nowhere that Helm manages it', async () => {
    const text = JSON.stringify(await kustomized(BASE));
    expect(text).not.toMatch(/helm/i);
    // What was taken away was there.
    expect(JSON.stringify(await template())).toMatch(/helm\.sh\/hook.*helm\.sh\/resource-policy|"Helm"/);
  });

  it('deletes the webhook configuration before the Pods that answer it', async () => {
    const kinds = (await kustomized(join(BASE, 'operator'))).map(({ kind }) => kind);
    expect(kinds[0]).toBe('ValidatingWebhookConfiguration');
    expect(kinds).not.toContain('CustomResourceDefinition');
  });

  it('has the fourteen rules of the pack', async () => {
    const rules = await kustomized(join(BASE, 'pod-security'));
    expect(rules.map(({ kind }) => kind)).toEqual(Array.from({ length: 14 }, () => 'PolicyRule'));
  });

  it('is up to date (node scripts/generate/kustomize.ts)', async () => {
    for (const [name, text] of await kustomizeFiles())
      expect([name, readFileSync(join(BASE, name), 'utf8') === text]).toEqual([name, true]);
  });
});
