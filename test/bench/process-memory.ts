/** What the kernel and the collector say of this process's memory. */
import { readFileSync } from 'node:fs';

/** A "NAME: N kB" line of /proc/PID/status in bytes; 0 where there is none. */
export function procStatus(name: 'VmHWM' | 'VmRSS', pid: number | 'self' = 'self'): number {
  try {
    const text = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
    const kilobytes = new RegExp(`^${name}:\\s+([0-9]+) kB`, 'm').exec(text)?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Needs --expose-gc; throws without it, because a figure without collection would be a wrong one. */
export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('start this process with --expose-gc');
  // Twice: what the first run finalises, the second frees.
  globalThis.gc();
  globalThis.gc();
}
