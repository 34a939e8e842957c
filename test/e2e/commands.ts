/** kubectl and helm as processes beside this one, so that a load goes on meanwhile. */
import { spawn } from 'node:child_process';

export interface Output {
  ok: boolean;
  /** standard output, and standard error where it failed */
  text: string;
}

export interface Commands {
  /** `args`: one word each, or one text that is split at spaces; `input` goes to standard input as JSON */
  kubectl: (args: string | readonly string[], input?: object) => Promise<Output>;
  helm: (...args: string[]) => Promise<Output>;
}

/** Throws what the command said. */
export async function must(output: Promise<Output>): Promise<string> {
  const { ok, text } = await output;
  if (!ok) throw new Error(text.trim());
  return text;
}

export interface Tools {
  kubectl: string;
  helm: string;
  kubeconfig: string;
  /** helm's own files */
  folder: string;
}

export function commandsOf({ kubectl, helm, kubeconfig, folder }: Tools): Commands {
  const env = {
    ...process.env,
    KUBECONFIG: kubeconfig,
    HELM_CACHE_HOME: folder,
    HELM_CONFIG_HOME: folder,
    HELM_DATA_HOME: folder,
  };
  return {
    kubectl: (args, input) => run(kubectl, typeof args === 'string' ? args.split(' ') : args, env, input),
    helm: (...args) => run(helm, args, env),
  };
}

export function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  input?: object,
): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const texts = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (texts.out += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (texts.err += chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ ok: code === 0, text: code === 0 ? texts.out : texts.out + texts.err });
    });
    child.stdin.end(input === undefined ? '' : JSON.stringify(input));
  });
}

/** Resolves with the first answer that is not undefined; throws with the last reason after that time. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined>,
  seconds = 60,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`not within ${String(seconds)} s: ${what}`);
    await pause(0.2);
  }
}

export function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** Seconds since `started` (performance.now), to a tenth. */
export function secondsSince(started: number): number {
  return Math.round((performance.now() - started) / 100) / 10;
}
