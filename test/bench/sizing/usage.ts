/** What a process and the compilers that it starts take: memory as a container's limit counts it, and CPU. */
import { readFileSync } from 'node:fs';
import { procStatus } from '../process-memory.ts';

const SAMPLE_MS = 100;
/** USER_HZ, the unit of /proc/PID/stat: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Of the fields after the command's name, which may hold spaces: utime, stime, and those of children that have ended. */
const CPU_FIELDS = [11, 12, 13, 14];

/** ms of CPU since its start, children that have ended included. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = CPU_FIELDS.reduce((sum, at) => sum + Number(fields[at]), 0);
  return (ticks * 1000) / TICKS_PER_SECOND;
}

/** Bytes of RSS, children that run now included; pages that they share count twice. */
export function rssBytes(pid: number): number {
  return [pid, ...children(pid)].reduce((sum, one) => sum + procStatus('VmRSS', one), 0);
}

function children(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Looks ten times a second until it is stopped, which gives the most that was seen, bytes. */
export function watchPeak(pid: number): { stop(): number } {
  let peak = rssBytes(pid);
  const timer = setInterval(() => {
    peak = Math.max(peak, rssBytes(pid));
  }, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      return peak;
    },
  };
}
