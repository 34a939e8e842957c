/** Structured logs: one JSON object a line on stdout, no secrets. */
import { pino, type DestinationStream } from 'pino';
import { messageOf } from './errors.ts';
import { redact, redactText } from './redact.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';

export type Fields = Readonly<Record<string, unknown>>;

export interface Log extends Record<Level, (message: string, fields?: Fields) => void> {
  child(fields: Fields): Log;
}

export function createLog(level: Level | 'silent', destination?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    messageKey: 'msg',
    // eslint-disable-next-line no-restricted-syntax -- a log is read beside other logs: by the real time, whatever clock the rest runs on
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return wrap(destination === undefined ? pino(options) : pino(options, destination));
}

function wrap(logger: pino.Logger): Log {
  const at =
    (level: Level) =>
    (message: string, fields: Fields = {}): void => {
      logger[level](plain(fields), redactText(message));
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(logger.child(plain(fields))),
  };
}

/** An Error is its message and stack; the objects that hang on it (requests, headers) stay out. */
function plain(fields: Fields): Record<string, unknown> {
  const { error, ...others } = fields;
  const rest = redact(others) as Record<string, unknown>;
  if (error === undefined) return rest;
  if (!(error instanceof Error)) return { ...rest, error: redactText(messageOf(error)) };
  return { ...rest, error: redactText(error.message), stack: redactText(error.stack ?? '') };
}
