/** RFC 7468: blocks of base64 between a BEGIN and an END line. */
import { bytesOfBase64 } from './bytes.ts';

export interface PemBlock {
  type: string;
  bytes: Uint8Array;
}

const BLOCK =
  /(?:^|\n)-----BEGIN ([^\n]*?)-----[ \t\r]*\n((?:[^\n:]*:[^\n]*\n)*)([^:]*?)-----END \1-----[ \t\r]*(?=\n|$)/g;

/** What is no block is passed over. */
export function pemBlocks(text: string): PemBlock[] {
  return [...text.matchAll(BLOCK)].flatMap(([, type = '', , body = '']) => {
    const bytes = bytesOfBase64(body.replace(/[ \t]/g, ''));
    return bytes === undefined ? [] : [{ type, bytes }];
  });
}
