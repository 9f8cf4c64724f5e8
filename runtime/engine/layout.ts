/**
 * The linear memory that both sides of the fast engine share, in bytes. This file is TypeScript and AssemblyScript at once.
 *
 * First stand the constants of the program, then one record for each instruction, then a region for each machine, which begins with what this file
 * lays out: places are distances from the first byte of the region. Regions start at multiples of `REGION_ALIGNMENT`.
 */
export const REGION_ALIGNMENT = 4096;

/** The 64 general-purpose registers, 32 bits each. */
export const REGISTERS = 0;
/** A register that the program cannot name and that holds 1: the number of rows where no register gives one. */
export const ONE = 64;
/** Stands for a stride that no register gives. */
export const NO_REGISTER = 255;

/** State of the generator of random vectors. */
export const RANDOM = 272;
/** Instructions executed by the last run, as f64. */
export const EXECUTED = 280;
/** Readings of the clock by profiled runs so far, as f64. */
export const CLOCK_READINGS = 288;

/** For each space where its address 0 is in the linear memory, modulo 2^32, its size in bytes, its number of initialised intervals, and the last one found. */
export const SPACES = 320;
export const SPACE_BYTES = 16;
export const SPACE_SIZE = 4;
export const SPACE_INTERVALS = 8;
export const SPACE_HINT = 12;
/** Codes of the spaces. */
export const DRAM = 0;
export const VECTOR = 1;
export const MATRIX = 2;

/** The resolved accesses of the instruction that executes, as i64 fields, in the order of its record. */
export const ACCESSES = 512;
export const ACCESS_BYTES = 80;
/** Most accesses that an instruction has. */
export const MAX_ACCESSES = 3;

/** For each space the starts of its initialised intervals, then their ends. A run leaves the engine when one has no room. */
export const INTERVALS = 4096;
export const MAX_INTERVALS = 1024;

/** Where the machine's own memory begins. */
export const MACHINE = 65536;

/** The record of an instruction: its opcode byte, modifiers, registers in the order of its assembly, immediate, and bound accesses. */
export const RECORD_BYTES = 80;
export const RECORD_TYPE = 1;
/** What is written: the second type of a conversion, or 1 where accumulators end as f32. */
export const RECORD_TO = 2;
/** The `acc` flag or the activation. */
export const RECORD_MODE = 3;
export const RECORD_REGISTERS = 4;
export const MAX_REGISTERS = 12;
export const RECORD_IMMEDIATE = 16;
export const RECORD_ACCESS_COUNT = 20;
/** Which access is written; `NO_REGISTER` if none is. */
export const RECORD_OUTPUT = 21;
export const RECORD_ACCESSES = 32;

/** A bound access: numbers of registers, then what the table says. */
export const BOUND_BYTES = 16;
export const BOUND_BASE = 0;
export const BOUND_WIDTH0 = 1;
export const BOUND_WIDTH1 = 2;
export const BOUND_ROWS = 3;
export const BOUND_STRIDE = 4;
export const BOUND_PLANES = 5;
export const BOUND_PLANE_STRIDE = 6;
export const BOUND_ELEMENT_BYTES = 7;
export const BOUND_SPACE = 8;
/** Bit 0: it reads. Bit 1: it writes. Bit 2: it may be an accumulator, which must not meet an input at all. */
export const BOUND_MODE = 9;
export const READS = 1;
export const WRITES = 2;
export const ACCUMULATES = 4;
export const BOUND_OFFSET = 12;

/**
 * Scratch behind the records, where operands of narrow types stand widened: first the table of widened matrices and room for three short vectors,
 * then room for the vector scratchpad, twice, and for the matrix scratchpad, each `WIDENED` bytes a byte.
 */
export const SCRATCH_MATRICES = 0;
export const MATRIX_BYTES = 16;
export const MOST_MATRICES = 64;
export const SCRATCH_VECTORS = 1024;
/** Elements of a short vector. */
export const SHORT_VECTOR = 1024;
export const SCRATCH_INPUTS = 16384;
export const WIDENED = 4;
/** Between the parts, for what is read or written a little too far. */
export const SCRATCH_GAP = 64;

/** The opcode byte of a record at which the engine leaves: the end of the program, a break, an instruction without a kernel. */
export const LEAVE = 0;
/** Bit of the opcode byte that tells the immediate form. */
export const IMMEDIATE_FORM = 0x80;

/** What profiled runs measure of an instruction, as f64: its executions and their seconds, the scalar and control instructions in front of it and theirs. */
export const TIMES_BYTES = 32;
export const TIMES_SECONDS = 8;
export const TIMES_SCALARS = 16;
export const TIMES_SCALAR_SECONDS = 24;
