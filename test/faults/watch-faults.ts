/** What can go wrong inside the stream of a watch, event by event. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault, PlannedFault } from './plan.ts';

/** Longer than what the runtime takes in one line. */
const HUGE_BYTES = 10 * 1024 * 1024;

const EXPIRED = JSON.stringify({
  type: 'ERROR',
  object: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 410, reason: 'Expired' },
});

/** Passes the lines of `source` on to `target` until the planned fault is due; `happened` is told when it was. */
export function injectWatch(
  source: IncomingMessage,
  target: ServerResponse,
  planned: PlannedFault | undefined,
  happened: (fault: Fault) => void,
): void {
  let rest = '';
  let events = 0;
  source.setEncoding('utf8');
  source.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      events += 1;
      if (planned === undefined || events <= planned.afterEvents) target.write(`${line}\n`);
      else if (carryOut(planned.fault, line, target)) happened(planned.fault);
    }
  });
  source.once('end', () => target.end());
  source.once('error', () => target.destroy());
}

/** Returns whether the fault happened with this line; most leave the stream in a state where nothing more follows. */
function carryOut(fault: Fault, line: string, target: ServerResponse): boolean {
  if (target.destroyed || target.writableEnded) return false;
  switch (fault) {
    case 'droppedMidLine':
      target.write(line.slice(0, Math.ceil(line.length / 2)), () => target.socket?.destroy());
      return true;
    case 'goneInStream':
      target.end(`${EXPIRED}\n`);
      return true;
    case 'garbageLine':
      target.end(`{"type":"MODIFIED","object":{"metadata":\n`);
      return true;
    case 'hugeLine':
      target.end(Buffer.alloc(HUGE_BYTES, 0x20));
      return true;
    case 'halfOpen':
      // The event is lost and the socket stays: nothing will ever come over it again.
      return true;
    default:
      target.write(`${line}\n${line}\n`);
      return true;
  }
}
