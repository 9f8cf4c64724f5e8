/** Exact questions about the byte ranges of accesses: which rows meet, and which bytes a set of intervals lacks. */
import type { ResolvedAccess } from '../../isa/accesses.ts';
import type { Intervals } from './intervals.ts';

/** Equal rows at equal distances. */
export interface Rows {
  readonly start: number;
  readonly rowBytes: number;
  readonly rows: number;
  readonly strideBytes: number;
}

/** Whether any byte is in a row of both. */
export function rowsMeet(a: Rows, b: Rows): boolean {
  if (a.rows === 0 || b.rows === 0) return false;
  if (a.rows > 1 && b.rows > 1 && a.strideBytes !== b.strideBytes) {
    const [few, many] = a.rows < b.rows ? [a, b] : [b, a];
    for (let r = 0; r < few.rows; r++)
      if (rowsMeet({ start: few.start + r * few.strideBytes, rowBytes: few.rowBytes, rows: 1, strideBytes: 0 }, many)) return true;
    return false;
  }
  // Row j of b starts at `apart + t · stride` from row i of a, where t = j - i; they meet if that lies between -b.rowBytes and a.rowBytes.
  const apart = b.start - a.start;
  const stride = a.rows > 1 ? a.strideBytes : b.strideBytes;
  if (stride === 0) return -b.rowBytes < apart && apart < a.rowBytes;
  const [least, most] = stride > 0 ? [1 - a.rows, b.rows - 1] : [1 - b.rows, a.rows - 1];
  const distance = Math.abs(stride);
  const first = Math.max(least, Math.floor((-b.rowBytes - apart) / distance) + 1);
  return first <= most && apart + first * distance < a.rowBytes;
}

/** Whether two rows of an access share some but not all of their bytes. */
export function partlyOverlapsItself({ rowBytes, rows, strideBytes, planes, planeStrideBytes }: ResolvedAccess): boolean {
  if (strideBytes !== 0 && Math.abs(strideBytes) < rowBytes) return true;
  for (let p = 1; p < planes; p++) {
    const apart = p * planeStrideBytes;
    const nearest = strideBytes === 0 ? 0 : -apart / strideBytes;
    for (const t of strideBytes === 0 ? [0] : [Math.floor(nearest), Math.ceil(nearest)]) {
      const distance = Math.abs(apart + t * strideBytes);
      if (Math.abs(t) < rows && distance > 0 && distance < rowBytes) return true;
    }
  }
  return false;
}

/** Whether the rows of both are the same, one by one. */
export function coincide(a: Rows, b: Rows): boolean {
  return a.start === b.start && a.rowBytes === b.rowBytes && a.rows === b.rows && a.strideBytes === b.strideBytes;
}

/** Whether the rows of all planes follow each other without gaps, or are one. */
function isDense({ rowBytes, rows, strideBytes, planes, planeStrideBytes }: ResolvedAccess): boolean {
  return (rows <= 1 || strideBytes === rowBytes) && (planes <= 1 || planeStrideBytes === rows * rowBytes);
}

/** The first byte of an access, in the order of its rows, that is not in the set, or undefined. */
export function firstMissing(set: Intervals, access: ResolvedAccess): number | undefined {
  const missing = set.firstMissing(access.low, access.end);
  if (missing === undefined || isDense(access)) return missing;
  for (let p = 0; p < access.planes; p++) {
    for (let r = 0; r < access.rows; r++) {
      const start = access.start + p * access.planeStrideBytes + r * access.strideBytes;
      const inRow = set.firstMissing(start, start + access.rowBytes);
      if (inRow !== undefined) return inRow;
    }
  }
  return undefined;
}

/** Adds the bytes of an access to the set. */
export function addAccess(set: Intervals, access: ResolvedAccess): void {
  if (isDense(access)) {
    set.add(access.low, access.end);
    return;
  }
  if (set.contains(access.low, access.end)) return;
  for (let p = 0; p < access.planes; p++) {
    for (let r = 0; r < access.rows; r++) {
      const start = access.start + p * access.planeStrideBytes + r * access.strideBytes;
      set.add(start, start + access.rowBytes);
    }
  }
}
