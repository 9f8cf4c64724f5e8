/** Decompression of gzip files (RFC 1952) whose size and content are checked. */
import { gunzipSync } from 'fflate';
import { beyondBudget, budgetHint } from '../budget.ts';
import { DataError } from './errors.ts';

/** Header and trailer of the smallest file. */
const LEAST_BYTES = 18;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The content of a gzip file with one member. Nothing is allocated before the size that the file claims has been
 * held against the memory budget, and what comes out must have that size and the checksum of the trailer. Throws a `DataError`.
 */
export function gunzip(bytes: Uint8Array, place: string): Uint8Array {
  if (!isGzip(bytes) || bytes.length < LEAST_BYTES) throw new DataError('data/format', place, 'is not a gzip file');
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 8, 8);
  const checksum = trailer.getUint32(0, true);
  const claimed = trailer.getUint32(4, true);
  const beyond = beyondBudget(claimed);
  if (beyond !== undefined) throw new DataError('data/too-large', place, `decompressed ${beyond}`, budgetHint());
  const content = inflate(bytes, place, claimed);
  if (content.length !== claimed || crc32(content) !== checksum)
    throw new DataError('data/checksum', place, 'is damaged: its content does not match its checksum', 'copy or download it again');
  return content;
}

function inflate(bytes: Uint8Array, place: string, claimed: number): Uint8Array {
  try {
    return gunzipSync(bytes, { out: new Uint8Array(claimed) });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError('data/format', place, `is a damaged gzip file: ${reason}`, 'copy or download it again');
  }
}

const POLYNOMIAL = 0xedb88320;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1;
  return remainder;
});

/** CRC-32 of ISO 3309, as gzip and PNG use it. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (TABLE[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
