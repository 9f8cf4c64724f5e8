/**
 * Index expressions to scalar instructions. Every distinct expression gets one virtual register, computed as far outside as its variables
 * allow: constants in front of the section, sums of loop variables as induction registers that step at the end of their loop, minima,
 * maxima and parities at the head of the loop that changes them.
 */
import { expectDefined } from './expect.ts';
import type { Atom, Expr } from './expr.ts';
import { isConstant, printAtom, printExpr, subtract, variablesOf } from './expr.ts';
import type { VirtualField, VirtualInstruction, VirtualItem, VirtualRegister } from './virtual.ts';
import { backEdge, virtual } from './virtual.ts';

/** A loop that is being emitted, or the section itself. */
interface Scope {
  readonly variable: string | undefined;
  /** In front of the loop; for the section, its beginning. */
  readonly entry: VirtualItem[];
  /** At the head of every iteration. */
  readonly head: VirtualItem[];
  readonly body: VirtualItem[];
  /** At the end of every iteration. */
  readonly latch: VirtualItem[];
  readonly registers: Map<string, VirtualRegister>;
}

const newScope = (variable: string | undefined): Scope => ({ variable, entry: [], head: [], body: [], latch: [], registers: new Map() });

export class AddressArithmetic {
  readonly #scopes: Scope[] = [newScope(undefined)];
  readonly #zero: number;
  #count = 0;

  /** `zero` is the register that always holds 0. */
  constructor(zero: number) {
    this.#zero = zero;
  }

  emit(instruction: VirtualInstruction): void {
    this.#innermost.body.push(instruction);
  }

  get #innermost(): Scope {
    return expectDefined(this.#scopes.at(-1), 'a scope is open');
  }

  /** Emits a loop: `body` emits its contents. */
  loop(variable: string, extent: Expr, maxIterations: number, body: () => void): void {
    const counter = this.#newRegister();
    const start = this.#copyOf(extent, counter);
    this.#scopes.push(newScope(variable));
    body();
    const scope = expectDefined(this.#scopes.pop(), 'the loop is open');
    this.#innermost.body.push(...scope.entry, ...start, {
      kind: 'loop',
      counter,
      body: [...scope.head, ...scope.body, ...scope.latch, ...backEdge(counter)],
      maxIterations,
    });
  }

  /** Everything emitted, with what stands in front of it. */
  finish(): readonly VirtualItem[] {
    const { entry, head, body } = this.#innermost;
    return [...entry, ...head, ...body];
  }

  /** The register that holds an expression's value where emission stands now, modulo 2^32. */
  valueOf(e: Expr): VirtualField {
    if (isConstant(e) && e.constant === 0) return this.#zero;
    const depth = this.#depthOf(variablesOf(e));
    const scope = this.#scopeAt(depth);
    const key = printExpr(e);
    const known = scope.registers.get(key);
    if (known) return known;
    const register = isConstant(e)
      ? this.#constant(e.constant, scope)
      : this.#isInduction(e, scope)
        ? this.#induction(e, scope)
        : this.#combination(e, depth, scope);
    scope.registers.set(key, register);
    return register;
  }

  #constant(value: number, scope: Scope): VirtualRegister {
    const register: VirtualRegister = { id: this.#count++, constant: value };
    scope.entry.push(virtual('SMOVE', 'immediate', { result: register, a: value | 0 }));
    return register;
  }

  /** Whether the loop's variable appears in a sum only, and nothing else of the sum changes in this loop. */
  #isInduction(e: Expr, scope: Scope): boolean {
    return (
      e.terms.every(({ atom }) =>
        atom.kind === 'variable'
          ? true
          : scope.variable === undefined || !variablesOf({ constant: 0, terms: [{ factor: 1, atom }] }).has(scope.variable),
      ) && scope.variable !== undefined
    );
  }

  #induction(e: Expr, scope: Scope): VirtualRegister {
    const step = e.terms.find(({ atom }) => atom.kind === 'variable' && atom.name === scope.variable)?.factor ?? 0;
    const rest: Expr = {
      constant: e.constant,
      terms: e.terms.filter(({ atom }) => !(atom.kind === 'variable' && atom.name === scope.variable)),
    };
    const register = this.#newRegister();
    scope.entry.push(...this.#copyOf(rest, register));
    scope.latch.push(virtual('SADD', 'immediate', { result: register, a: register, b: step | 0 }));
    return register;
  }

  /** Instructions that set a register to an expression of the loops outside the innermost known one. */
  #copyOf(e: Expr, register: VirtualRegister): readonly VirtualInstruction[] {
    if (isConstant(e)) return [virtual('SMOVE', 'immediate', { result: register, a: e.constant | 0 })];
    const varying = this.valueOf({ constant: 0, terms: e.terms });
    return e.constant === 0
      ? [virtual('SMOVE', 'register', { result: register, a: varying })]
      : [virtual('SADD', 'immediate', { result: register, a: varying, b: e.constant | 0 })];
  }

  /** A sum with minima, maxima or parities that change in the scope's loop: computed at its head. */
  #combination(e: Expr, depth: number, scope: Scope): VirtualRegister {
    const changing = e.terms.filter(
      ({ atom }) => atom.kind !== 'variable' && this.#depthOf(variablesOf({ constant: 0, terms: [{ factor: 1, atom }] })) === depth,
    );
    const rest: Expr = { constant: 0, terms: e.terms.filter((term) => !changing.includes(term)) };
    let sum: VirtualField | undefined = rest.terms.length > 0 ? this.valueOf(rest) : undefined;
    const compute = (instruction: (result: VirtualRegister) => VirtualInstruction): VirtualRegister => {
      const result = this.#newRegister();
      scope.head.push(instruction(result));
      return result;
    };
    for (const { factor, atom } of changing) {
      const value = this.#atom(atom, scope);
      const product =
        Math.abs(factor) === 1 ? value : compute((result) => virtual('SMUL', 'immediate', { result, a: value, b: Math.abs(factor) | 0 }));
      const left: VirtualField = sum ?? this.#zero;
      sum =
        factor < 0
          ? compute((result) => virtual('SSUB', 'register', { result, a: left, b: product }))
          : sum === undefined
            ? product
            : compute((result) => virtual('SADD', 'register', { result, a: left, b: product }));
    }
    const total = expectDefined(sum, 'a combination has a term');
    // A register of its own even where the sum is one atom, because registers are keyed by expression.
    return e.constant === 0 && typeof total !== 'number'
      ? total
      : compute((result) => virtual('SADD', 'immediate', { result, a: total, b: e.constant | 0 }));
  }

  #atom(atom: Atom, scope: Scope): VirtualRegister {
    const key = `atom ${printAtom(atom)}`;
    const known = scope.registers.get(key);
    if (known) return known;
    if (atom.kind === 'variable') throw new Error('broken invariant: a variable alone is an induction');
    const register = atom.kind === 'parity' ? this.#parity(atom.of, scope) : this.#extremum(atom.kind, atom.a, atom.b, scope);
    scope.registers.set(key, register);
    return register;
  }

  /** The parity of one loop variable flips at the end of each iteration; of anything else it is the remainder by 2. */
  #parity(of: Expr, scope: Scope): VirtualRegister {
    const register = this.#newRegister();
    const [term, ...others] = of.terms;
    if (others.length === 0 && term?.atom.kind === 'variable' && term.atom.name === scope.variable) {
      scope.entry.push(virtual('SMOVE', 'immediate', { result: register, a: of.constant & 1 }));
      scope.latch.push(virtual('SE', 'immediate', { result: register, a: register, b: 0 }));
      return register;
    }
    const value = this.valueOf(of);
    const half = this.#newRegister();
    scope.head.push(
      virtual('SDIV', 'immediate', { result: half, a: value, b: 2 }),
      virtual('SMUL', 'immediate', { result: half, a: half, b: 2 }),
      virtual('SSUB', 'register', { result: register, a: value, b: half }),
    );
    return register;
  }

  /** max(a, b) = b + (a > b)·(a − b), min(a, b) = a − (a > b)·(a − b): published instructions only. */
  #extremum(kind: 'min' | 'max', a: Expr, b: Expr, scope: Scope): VirtualRegister {
    const greater = this.#newRegister();
    const emit = (
      mnemonic: 'SGT' | 'SMUL' | 'SADD' | 'SSUB',
      left: VirtualField,
      right: VirtualField | { immediate: number },
    ): VirtualRegister => {
      const result = mnemonic === 'SGT' || mnemonic === 'SMUL' ? greater : this.#newRegister();
      const isImmediate = typeof right === 'object' && 'immediate' in right;
      const fields = { result, a: left, b: isImmediate ? right.immediate | 0 : right };
      scope.head.push(virtual(mnemonic, isImmediate ? 'immediate' : 'register', fields));
      return result;
    };
    const [variable, constant] = isConstant(a) ? [b, a] : [a, isConstant(b) ? b : undefined];
    if (!constant) {
      const difference = this.valueOf(subtract(a, b));
      const base = this.valueOf(kind === 'max' ? b : a);
      emit('SMUL', emit('SGT', difference, { immediate: 0 }), difference);
      return emit(kind === 'max' ? 'SADD' : 'SSUB', base, greater);
    }
    // With d = variable − constant: max = constant + (d > 0)·d, min = variable − (d > 0)·d.
    const value = this.valueOf(variable);
    const difference = this.valueOf(subtract(variable, constant));
    emit('SMUL', emit('SGT', value, { immediate: constant.constant }), difference);
    if (kind === 'min') return emit('SSUB', value, greater);
    return constant.constant === 0 ? greater : emit('SADD', greater, { immediate: constant.constant });
  }

  /** Index of the innermost open loop whose variable is among the names; 0 is the section. */
  #depthOf(names: ReadonlySet<string>): number {
    return this.#scopes.findLastIndex((scope) => scope.variable === undefined || names.has(scope.variable));
  }

  #scopeAt(depth: number): Scope {
    return expectDefined(this.#scopes[depth], 'the depth is open');
  }

  #newRegister(): VirtualRegister {
    return { id: this.#count++ };
  }
}
