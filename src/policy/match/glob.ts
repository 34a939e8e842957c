/** `*` at the start or the end stands for any text, also for none; anywhere else it is itself. */
export function matchesGlob(pattern: string, text: string): boolean {
  const open = pattern.startsWith('*');
  const closed = pattern.endsWith('*');
  const core = pattern.slice(open ? 1 : 0, closed ? Math.max(pattern.length - 1, open ? 1 : 0) : undefined);
  if (open && closed) return text.includes(core);
  if (open) return text.endsWith(core);
  if (closed) return text.startsWith(core);
  return text === core;
}
