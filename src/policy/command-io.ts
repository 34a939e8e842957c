/** What a command has of the process that it runs in. */
export interface CommandIo {
  env: NodeJS.ProcessEnv;
  /** a line on standard output */
  print: (line: string) => void;
  /** a line on standard error */
  complain: (line: string) => void;
  stdin: AsyncIterable<Uint8Array>;
}
