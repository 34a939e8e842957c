/** Why a text was not read, and where. */

export class YamlError extends Error {
  override readonly name = 'YamlError';
  readonly reason: string;
  /** from 1 */
  readonly line: number;
  /** from 1, in UTF-16 units */
  readonly column: number;

  constructor(reason: string, line: number, column: number, file?: string) {
    super(
      `${file === undefined ? '' : `${file}: `}line ${String(line)}, column ${String(column)}: ${reason}`,
    );
    this.reason = reason;
    this.line = line;
    this.column = column;
  }
}

/** What is wrong at an offset of a text; whoever knows the whole file makes a YamlError of it. */
export class Fault extends Error {
  readonly at: number;

  constructor(reason: string, at: number) {
    super(reason);
    this.at = at;
  }

  /** `firstLine`: the line of the file that `text` begins with, from 1. */
  located(text: string, firstLine: number, file?: string): YamlError {
    const before = text.slice(0, this.at);
    const breaks = before.match(/\r\n|\r|\n/g)?.length ?? 0;
    const column = before.length - Math.max(before.lastIndexOf('\n'), before.lastIndexOf('\r'));
    return new YamlError(this.message, firstLine + breaks, column, file);
  }
}
