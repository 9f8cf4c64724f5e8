/** The element type codes that the fast engine computes with; a test compares them with the table. TypeScript and AssemblyScript at once. */
export const FX16 = 0;
export const F32 = 1;
export const F16 = 2;
export const BF16 = 3;
export const Q16 = 4;
export const I8 = 5;
export const F8E4M3 = 7;
export const F8E5M2 = 8;
