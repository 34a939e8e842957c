/** Where the webhook's certificate comes from, and that from files which somebody else renews (cert-manager's Secret). */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from './auth.ts';
import { currentBundle, type Bundle, type ServingCertificate } from './certificates.ts';
import type { Client } from './client.ts';
import type { Clock } from './clock.ts';
import { certificateNames, type Config } from './config.ts';
import type { Log } from './log.ts';

const SECRET_NAME = 'cogniforge-webhook-tls';

/** The files of --webhook-cert-dir, else our own in a Secret, renewed when due. */
export function certificateSource(
  config: Config,
  client: Client,
  clock: Clock,
  log: Log,
): (signal?: AbortSignal) => Promise<ServingCertificate> {
  const { webhookCertDir, namespace } = config;
  if (webhookCertDir !== undefined) return certificateFiles(webhookCertDir);
  const names = certificateNames(config);
  const keeper = { client, namespace, secretName: SECRET_NAME, names, clock, log };
  let served: Bundle | undefined;
  return async (signal) => (served = await currentBundle({ ...keeper, served }, signal));
}

/**
 * Returns a function that reads `tls.crt`, `tls.key` and `ca.crt` of a folder. It remembers the CA before the present
 * one for as long as the process lives: the other replicas may still serve a leaf of it.
 *
 * The reading throws ConfigError where a file is missing or a key is not its certificate's, which is also what a swap
 * of the files in the middle of the reading looks like.
 */
export function certificateFiles(folder: string): () => Promise<ServingCertificate> {
  let known: ServingCertificate | undefined;
  return async () => {
    const [caCert, cert, key] = await Promise.all(
      (['ca.crt', 'tls.crt', 'tls.key'] as const).map((name) => text(join(folder, name))),
    );
    if (caCert === undefined || cert === undefined || key === undefined)
      throw new ConfigError(`${folder} must hold ca.crt, tls.crt and tls.key`);
    if (!belongTogether(cert, key))
      throw new ConfigError(`${folder}: tls.key is not the key of the certificate in tls.crt`);
    const previousCa = known === undefined || known.caCert === caCert ? known?.previousCa : known.caCert;
    known = { caCert, cert, key, ...(previousCa === undefined ? {} : { previousCa }) };
    return known;
  };
}

async function text(path: string): Promise<string | undefined> {
  const content = await readFile(path, 'utf8').catch(() => '');
  return content.trim() === '' ? undefined : content;
}

function belongTogether(cert: string, key: string): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}
