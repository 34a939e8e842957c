import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateFiles } from '../../../src/runtime/certificate-files.ts';
import { caBundleOf, renew, type Bundle } from '../../../src/runtime/certificates.ts';

const NAMES = ['cogniforge-webhook.own.svc'];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cogniforge-cert-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write({ caCert, cert, key }: Pick<Bundle, 'caCert' | 'cert' | 'key'>): void {
  writeFileSync(join(folder, 'ca.crt'), caCert);
  writeFileSync(join(folder, 'tls.crt'), cert);
  writeFileSync(join(folder, 'tls.key'), key);
}

const fresh = (): Promise<Bundle> =>
  renew(undefined, { action: 'renewCa', why: 'test' }, NAMES, 1_800_000_000_000);

describe('certificate files', () => {
  it('are read anew each time', async () => {
    const read = certificateFiles(folder);
    const first = await fresh();
    write(first);
    expect(await read()).toEqual({ caCert: first.caCert, cert: first.cert, key: first.key });
    const leaf = await renew(first, { action: 'renewLeaf', why: 'test' }, NAMES, 1_800_000_000_000);
    write(leaf);
    expect(await read()).toEqual({ caCert: first.caCert, cert: leaf.cert, key: leaf.key });
  });

  it('keep the CA before the present one in the bundle', async () => {
    const read = certificateFiles(folder);
    const [first, second] = [await fresh(), await fresh()];
    write(first);
    await read();
    write(second);
    for (const served of [await read(), await read()]) {
      const trusted = Buffer.from(caBundleOf(served), 'base64').toString();
      expect(trusted).toContain(second.caCert.trim());
      expect(trusted).toContain(first.caCert.trim());
    }
  });

  it('are refused while they do not belong together: a swap under way', async () => {
    const [first, second] = [await fresh(), await fresh()];
    write({ ...first, key: second.key });
    await expect(certificateFiles(folder)()).rejects.toThrow('tls.key is not the key');
  });

  it('are refused where an issuer gives no CA', async () => {
    write({ ...(await fresh()), caCert: '' });
    await expect(certificateFiles(folder)()).rejects.toThrow('must hold ca.crt, tls.crt and tls.key');
  });
});
