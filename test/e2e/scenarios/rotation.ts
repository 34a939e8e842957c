/** Another CA for the webhook, asked for as docs/operations.md says, under load from the first step to the last. */
import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { eventually, must, secondsSince } from '../commands.ts';
import { faultless } from '../load.ts';
import { JUDGED, NAMESPACE } from '../objects.ts';
import { operatorPods, untilReady, webhooks, type Stage } from '../stage.ts';

const SECRET = 'cogniforge-webhook-tls';

/** A CA is published five minutes before a leaf of it is served; every replica looks each minute. */
const MOST_SECONDS = 9 * 60;

export interface Rotation {
  /** Resolves with the figure. */
  end(): Promise<string>;
}

/** Deletes the Secret; resolves when the API server trusts both CAs. What follows takes minutes. */
export async function beginRotation(stage: Stage): Promise<Rotation> {
  const started = performance.now();
  const before = await secret(stage);
  const load = stage.load(JUDGED);
  let published: number;
  try {
    await must(stage.kubectl(`delete secret ${SECRET} -n ${NAMESPACE}`));
    await eventually('both CAs are trusted', () => bothTrusted(stage, before.ca), 150);
    published = secondsSince(started);
  } finally {
    await load.stop();
  }
  const first = faultless(await load.stop(), 'both CAs published');
  return { end: () => endRotation(stage, { started, before, published, first }) };
}

interface Begun {
  started: number;
  before: Served;
  published: number;
  first: string;
}

async function endRotation(stage: Stage, { started, before, published, first }: Begun): Promise<string> {
  await untilReady(stage);
  const load = stage.load(JUDGED);
  try {
    await eventually(
      'every replica serves a certificate of the new CA',
      () => servedAnew(stage, before),
      MOST_SECONDS - secondsSince(started),
    );
    const seconds = secondsSince(started);
    const last = faultless(await load.stop(), 'new certificate served');
    return `${first} (${String(published)} s after the Secret was deleted); ${last} (${String(seconds)} s)`;
  } finally {
    await load.stop();
  }
}

interface Served {
  ca: X509Certificate;
  cert: X509Certificate;
}

async function secret({ kubectl }: Stage): Promise<Served> {
  const text = await must(kubectl(`get secret ${SECRET} -n ${NAMESPACE} -o json`));
  const { data } = JSON.parse(text) as { data: Record<string, string> };
  const read = (key: string): X509Certificate => new X509Certificate(Buffer.from(data[key] ?? '', 'base64'));
  return { ca: read('ca.crt'), cert: read('tls.crt') };
}

/** Whether every entry of the webhook configuration trusts the CA before and one that is not it. */
async function bothTrusted(stage: Stage, before: X509Certificate): Promise<true | undefined> {
  const bundles = ((await webhooks(stage)) ?? []).map(({ clientConfig }) =>
    authorities(clientConfig.caBundle),
  );
  const both = bundles.every(
    (bundle) => bundle.length === 2 && bundle.some((ca) => ca.fingerprint256 === before.fingerprint256),
  );
  return both && bundles.length > 0 ? true : undefined;
}

function authorities(caBundle = ''): X509Certificate[] {
  const text = Buffer.from(caBundle, 'base64').toString('utf8');
  return (text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (pem) => new X509Certificate(pem),
  );
}

async function servedAnew(stage: Stage, before: Served): Promise<true | undefined> {
  const now = await secret(stage);
  if (now.cert.fingerprint256 === before.cert.fingerprint256) return undefined;
  if (now.ca.fingerprint256 === before.ca.fingerprint256) throw new Error('the CA is still the same');
  const pods = await operatorPods(stage);
  const served = await Promise.all(pods.map(({ metadata }) => servedBy(stage, metadata.name)));
  const anew = served.every(
    (certificate) => certificate?.checkIssued(now.ca) === true && certificate.verify(now.ca.publicKey),
  );
  return anew && served.length === 2 ? true : undefined;
}

/** The certificate a replica shows, asked through a port that kubectl forwards; undefined while it cannot be asked. */
async function servedBy(
  { kubeconfig, kubectlPath }: Stage,
  pod: string,
): Promise<X509Certificate | undefined> {
  const args = ['port-forward', `--namespace=${NAMESPACE}`, `pod/${pod}`, ':9443'];
  const forward = spawn(kubectlPath, args, {
    env: { ...process.env, KUBECONFIG: kubeconfig },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const [line] = (await Promise.race([once(forward.stdout, 'data'), once(forward, 'exit')])) as [Buffer];
    const port = /127\.0\.0\.1:(\d+)/.exec(String(line))?.[1];
    return port === undefined ? undefined : await certificateAt(Number(port));
  } finally {
    forward.kill('SIGKILL');
  }
}

function certificateAt(port: number): Promise<X509Certificate | undefined> {
  return new Promise((resolve) => {
    // Looked at, not trusted: whose it is, is asked of the certificate.
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      const { raw } = socket.getPeerCertificate();
      socket.destroy();
      resolve(new X509Certificate(raw));
    });
    socket.once('error', () => {
      resolve(undefined);
    });
  });
}
