/** A log that is kept instead of written. */
import type { Fields, Level, Log } from '../../src/runtime/log.ts';

export interface Line {
  level: Level;
  message: string;
  fields: Fields;
}

export function keptLog(): Log & { lines: Line[] } {
  const lines: Line[] = [];
  const at =
    (level: Level) =>
    (message: string, fields: Fields = {}): void => {
      lines.push({ level, message, fields });
    };
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  return { ...log, lines, child: () => ({ ...log, child: () => keptLog() }) };
}
