/** The prose of the ISA manual, in Markdown; `manual.ts` adds what the tables say. One string a paragraph. */
import type { Cost, InstructionClass, RegisterRole } from './fields.ts';

const section = (title: string, ...paragraphs: string[]): string => [`## ${title}`, ...paragraphs].join('\n\n');
const list = (...items: string[]): string => items.map((item) => `- ${item}`).join('\n');

const INTRODUCTION = [
  '# The instruction set',
  'This is the machine that models are compiled to: the Cambricon instruction set (Liu et al., *Cambricon: An Instruction Set Architecture for Neural Networks*, ISCA 2016) as its paper publishes it, made exact where the paper is silent, and extended where whole networks need it. A program means the same on every engine: each instruction has one result, bit for bit.',
  'The tables are generated from `isa/table.ts`, `isa/formats.ts` and `isa/fields.ts`, from which encoder, decoder, assembler, verifier, machine and timing model are derived as well.',
];

const PROVENANCE = section(
  'What is published and what is ours',
  'The paper prints the architecture state (64-bit instructions, 64 general-purpose registers of 32 bits, load-store, 64 KB of scratchpad for vectors and 768 KB for matrices), a table of instruction types, most mnemonics in text and code, and the bit layouts of six figures. These are kept bit for bit: an instruction marked `published` has its operands where the figure has them. Modifiers of ours lie in bits that the figures leave unused, and a published word leaves them zero.',
  'The paper prints no opcode numbers, no encoding of the choice between register and immediate, no rounding, no list of the 43 instructions, and no layout for the rest of them. All of that is ours, as is everything that this manual says about addresses, traps, programs and files.',
  'Differences from the paper, and slips in it:',
  list(
    'The figure of `CB` labels its unused bits 38 and 12, which sums to 58 with the rest of the word. 64 − 8 − 6 − 6 leaves 44, and 64 − 8 − 6 − 32 leaves 18.',
    'The code of the paper leaves the base register of `VLOAD`, `VSTORE`, `MLOAD` and `MSTORE` out, which its own figure has. The assembly here always names it.',
    'The pooling code counts down from the window size less one and branches while the counter is greater than zero, so that it runs max(1, window − 1) times. Counters here start at the number of iterations.',
    'The pooling code compares with an output that nothing has written, and the perceptron adds a bias that nothing has loaded. Reads of unwritten memory trap here.',
    'The code of the paper counts addresses in 16-bit elements. Addresses here are bytes, sizes stay element counts.',
    '`VAS` with the immediate `#1` adds one in the paper; an immediate here is the raw bits of an element, 1024 for one with 10 fraction bits.',
    'The text gives random vectors the closed interval [0, 1]. One is excluded here.',
  ),
  'The three fragments of the paper, converted with a note on each line that changed, are in `test/isa/fragments`.',
);

const STATE = section(
  'State',
  list(
    '64 general-purpose registers of 32 bits, `$0` to `$63`, all zero at reset. None is special. They hold addresses, sizes and scalars.',
    'The program counter, which counts instructions from 0.',
    'Main memory (`dram`), the vector scratchpad (`vector`) and the matrix scratchpad (`matrix`): three separate spaces that all start at address 0. An operand names its space by its place in the instruction.',
    'The state of the random generator.',
    'For every byte of every space, whether it has been written since the reset.',
  ),
  'There are no vector registers, no flags and no hidden accumulators.',
);

const NAMES = section(
  'Names',
  'The first letter of a mnemonic says what its result is made of: `V` vectors, `M` matrices, `S` scalars. `LOAD`, `STORE` and `MOVE` follow directly. In arithmetic the letters read as a sentence, operand, verb, operand: `VAV` vector adds vector, `VSV` subtracts, `VMV` multiplies, `VDV` divides, `VAS` vector adds scalar, `MMV` matrix multiplies vector, `VMM` vector multiplies matrix, `MMS` matrix multiplies scalar, `MAM` matrix adds matrix, `MSM` matrix subtracts matrix. `OP` is the outer product, `VDP` the dot product, `VMAC` multiply-accumulate, `RV` a random vector, `CMM` multiplies a matrix column by column, `FIN` finishes accumulators, `RQ` requantizes them, `QAV` adds quantized vectors, `QZ` quantizes, `DQ` dequantizes, `GT` greater than, `E` equal, `GTM` greater-than merge, `CB` conditional branch, `CVT` conversion. A digit at the end of a transfer is its number of dimensions.',
  'In assembly, modifiers are suffixes in the order of the fields: `VMM.f32.acc.rep`, `VCVT.f32.f32.relu`. The type suffix is left out for `fx16` where an instruction has one type. Registers are `$0` to `$63`, immediates `#12`, `#-1`, `#0x40`, branch targets `#L0` with a label `L0:`. Comments start with `;` or `//`. `.word high, low` stands for any word, so that every file of code has a text. Mnemonics and suffixes may be written in either case.',
);

const WORD = section(
  'The instruction word',
  'An instruction is 64 bits, numbered from 63, the most significant and first in the figures, to 0. Bits 63 to 56 are the opcode byte; its top bit selects the immediate form of an instruction that has one. A field that names a register has 6 bits, an immediate 32, an element type 4, a flag 1.',
  'All bits that no field claims must be zero, and so must a field whose condition does not hold (a stride without `rep`). A word that breaks this, has an unknown opcode, a form that the instruction does not have, a reserved element type or a reserved combination is illegal, and a program with an illegal word does not start. So what is reserved can be given a meaning later.',
  'An immediate is a signed 32-bit number; assembly takes it signed or unsigned.',
);

const MEMORY = section(
  'Memory',
  'Addresses are bytes, sizes are counts of elements of the operand’s type. An address is a register plus an immediate offset, modulo 2^32; the range from there is not wrapped: one that ends beyond its space traps. Sizes and counts are unsigned. Strides are signed, so rows may run backwards. Elements and words are little-endian, and aligned to their size, which the table of element types has; words have 4 bytes.',
  'A bank of a scratchpad is (address / `bankBytes`) modulo `banks` of the target. Banks change how long an instruction takes and never what it does.',
  'Main memory is divided into the segments of the program: constants, which are read-only, inputs, outputs, activations, spill. A read of a byte that nothing has written since the reset traps; constants are written at load, inputs by the host. Constants may stand apart from the rest of main memory, where machines share them: a read whose bytes, from the least address to the greatest, are partly among the constants traps.',
  'An instruction whose output is empty, because a size, a row count or a plane count is zero, touches no memory and does nothing. (A product with no inputs has an output: zeros, or its accumulators unchanged but for a NaN, which becomes the canonical one.)',
);

const REPETITION = section(
  'Repetition and strides',
  'With `rep`, an instruction stands for `count` instructions that follow each other: row r takes each operand at its address plus r times its stride in bytes. The matrix of a product stays. A stride of 0 reads the same row each time (a row of weights for all pixels), or continues on the result of the row before (a reduction). A strided transfer moves `rows` rows of `size` elements, and a three-dimensional one `planes` planes of them, whose rows lie without gaps in the scratchpad: a slice of the channels of some rows of an image.',
  'An output may lie exactly on an input of an element-wise instruction, with the same start and the same stride; any other overlap of an output with an input traps. The accumulators of a matrix product must not meet its input vector at all. Rows of an output lie exactly on each other or nowhere. The stride of a single row, and of a single plane, is not looked at.',
  'An access has at most as many rows, over all planes, as the vector scratchpad has 16-bit elements; more traps.',
);

const ARITHMETIC = section(
  'Arithmetic',
  '**fx16** is 16-bit two’s complement with the one binary point of the target: with F fraction bits, the integer a stands for a / 2^F. A product of vectors accumulates exactly and is rounded once, to nearest, ties to even, then saturated. Addition and subtraction saturate. Multiplication is a product of one term. Division is the exact quotient, rounded and saturated the same way; x / 0 saturates towards the sign of x, and 0 / 0 is 0. Exponential and logarithm are those of f32 on the value, rounded and saturated; the logarithm of zero or less is the least number, −32768.',
  '**f32** is IEEE binary32. Every multiplication, addition, subtraction and division is rounded to nearest, ties to even; nothing is fused and denormals are kept. A product starts at +0, or with `acc` at the accumulator that stands at its output, and adds its terms in ascending order of the input, each multiplication and each addition rounded. Exponential and logarithm are the polynomials of `runtime/numerics/transcendental.ts`, rounded after each operation.',
  '**Narrow floats** are IEEE binary16 `f16`, bfloat16 `bf16`, and the OCP 8-bit floats `f8e4m3` and `f8e5m2`. One rule holds for every instruction: operands are widened to f32, which is exact, what the instruction does is done in f32, and the result is rounded once, to nearest, ties to even. Overflow gives an infinity in `f16` and `bf16`, and in the 8-bit floats, which saturate, the greatest number; so do infinities. Products widen their operands too, and their sums are f32 and stay so: `VFIN` rounds them.',
  '**q16** is 16-bit fixed point whose binary point is the program’s business, so that only additions, which saturate, comparisons, and products are defined. Products sum exactly in 64 bits, `i64`, which wrap. **i8** are 8-bit integers, whose products sum in 32 bits, `i32`, which wrap; what number they stand for is the program’s business too. `VRQ` rounds both sums to elements. `i32` and `i64` themselves are only moved and filled.',
  '**NaN and −0.** Every NaN that arithmetic produces is stored as `0x7FC00000`, and in a narrow float as `0x7E00` (f16), `0x7FC0` (bf16) or `0x7F` (8 bits). Transfers, moves and fills keep the bits that they move. A comparison with NaN is false. −0 equals +0. The greater-than merge is `a > b ? a : b`: a NaN in `a` gives `b`, a NaN in `b` stays, and of zeros of different sign it is `b`. `relu` is `x < 0 ? 0 : x`: a NaN and −0 stay. `clip` is first `m = x < low ? low : x`, then `high < m ? high : m`.',
  '**Truth.** In vectors, true is the number 1 of the element type (the greatest number where fx16 has 15 fraction bits and no 1) and false is 0; an operand is true when it is not zero, so a NaN is true. In registers, true is 1.',
  '**Scalars** are 32-bit two’s complement and wrap. Division truncates towards zero; by zero it traps, and −2^31 / −1 is −2^31. A scalar operand of a vector instruction is raw element bits, the low ones of the register: 32, 16 or 8; but the bounds of `clip` are f32 bits for narrow floats too. A result in a register is the element’s raw bits, sign-extended for `fx16` and zero-extended for narrow floats.',
);

const RANDOM = section(
  'Random vectors',
  'The generator is xorshift32: `s ^= s << 13; s ^= s >>> 17; s ^= s << 5` on an unsigned 32-bit state that is not zero. It starts at the seed of the run, `0x9E3779B9` unless another is given, and starts again for every sample, so that results do not depend on the order of samples. `RV` advances it once for each element, in order, and then takes (s >>> 8) / 2^24 for `f32`, (s >>> (32 − p)) / 2^p for a narrow float, whose significand has p bits, or s >>> (32 − F) as raw bits for `fx16` (0 where F is 0): the uniform distribution over [0, 1).',
);

const ORDER = section(
  'Order',
  'Instructions take effect one after another, in program order. Units work at the same time, but the hardware keeps dependences through registers and through memory, so time is never visible in a value. How long things take is in `docs/timing.md`; the cost classes below name the formulas.',
);

const TRAPS = section(
  'Traps',
  'A trap ends the run. It is precise: everything is checked before anything is written, so the state is that before the trapping instruction, and the error names the instruction, its registers and the layer that it was compiled from.',
  [
    '| trap | cause |',
    '| --- | --- |',
    '| `out-of-range` | an access that does not lie in its space, has too many rows, or reads constants and other memory at once |',
    '| `misaligned` | an address, or a stride between rows or planes, that is no multiple of the element’s size |',
    '| `uninitialised` | a read of bytes that have not been written |',
    '| `read-only` | a store to the constants |',
    '| `overlap` | an output that overlaps an input, or itself, other than exactly |',
    '| `divide-by-zero` | `SDIV` by zero |',
    '| `empty-reduction` | `VMAX` or `VMIN` of no elements |',
    '| `bad-shift` | `VRQ` with a shift that its element type does not have |',
    '| `bad-branch` | a branch to an instruction outside of the program |',
    '| `budget` | more instructions executed than the run may |',
  ].join('\n'),
);

const PROGRAMS = section(
  'Programs',
  'A program is code, constants, a memory map, the inputs and outputs with their shapes, types and layouts, a map from instructions to layers, and a bound on the number of executed instructions. Execution starts at instruction 0 with all registers zero. It ends when the program counter reaches the number of instructions: by running past the last one, or by a branch to exactly there. A branch goes to its own position plus its offset, which counts instructions and is signed.',
  'Segments start at multiples of 64 bytes, are disjoint, and fit with both scratchpads into 4 GiB. The host writes an input to its address before the run and reads an output from its address after it. A port’s `layout` is a permutation: stored dimension i is logical dimension `layout[i]`, row-major. Where a port is f32 for the host and fx16 in memory, the host rounds to nearest, ties to even, and saturates.',
  'Before it runs, a program is verified for its target: every word is legal, its extensions are those of the target, immediate branches stay within the program, segments and ports lie where they may. A `.cam` file holds a program; its format is described in `isa/container.ts`.',
);

/** Everything before the tables, one Markdown text. */
export const PROSE = [...INTRODUCTION, PROVENANCE, STATE, NAMES, WORD, MEMORY, REPETITION, ARITHMETIC, RANDOM, ORDER, TRAPS, PROGRAMS].join(
  '\n\n',
);

/** What each cost class stands for; names in code type are figures of the target. */
export const COSTS: Readonly<Record<Cost, string>> = {
  control: '`scalar.latencyCycles`; the fetch goes on `issue.branchCycles` after a taken branch is known',
  scalar: '`scalar.latencyCycles`',
  'scalar-multiply': '`scalar.multiplyCycles`',
  'scalar-divide': '`scalar.divideCycles`',
  'scalar-transcendental': '`scalar.transcendentalCycles`',
  'scalar-memory': '`scalar.memoryCycles`',
  vector: 'for each row, one cycle for each slice of `vector.lanes` elements',
  'vector-divide': 'as vector, `vector.divideCycles` for each slice',
  'vector-transcendental': 'as vector, `vector.transcendentalCycles` for each slice',
  'vector-reduce': 'as vector, and log2(`vector.lanes`) cycles for the tree',
  product: 'for each row, ceil(outputs / `matrix.blocks`) · ceil(inputs / `matrix.lanes`) cycles',
  columns: 'for each row, max(1, taps) · ceil(channels / `vector.lanes`) cycles',
  'matrix-elementwise': 'ceil(elements / `matrix.elementsPerCycle`) cycles',
  transfer: 'for each row, ceil(bytes / `dma.bytesPerCycle`) cycles, after `dma.latencyCycles`',
};

export const CLASSES: Readonly<Record<InstructionClass, string>> = {
  control: 'Control',
  transfer: 'Data transfer',
  matrix: 'Matrix',
  vector: 'Vector and vector logical',
  scalar: 'Scalar and scalar logical',
};

/** What a register operand of each role holds. */
export const ROLES: Readonly<Record<RegisterRole, string>> = {
  address: 'address in bytes',
  size: 'number of elements',
  count: 'number of rows or planes',
  stride: 'distance in bytes, signed',
  scalar: 'scalar',
  result: 'receives the result',
  offset: 'branch offset in instructions, signed',
  condition: 'taken when greater than zero, signed',
};
