/**
 * Index expressions to scalar instructions. Every distinct expression gets one virtual register, computed as far outside as its variables
 * allow: constants in front of the section, sums of loop variables as induction registers that step at the end of their loop, minima,
 * maxima, parities and signs at the head of the loop that changes them.
 */
import { expectDefined } from './expect.ts';
import type { Atom, Expr } from './expr.ts';
import { expr, isConstant, printAtom, printExpr, scale, subtract, variablesOf } from './expr.ts';
import type { VirtualField, VirtualInstruction, VirtualItem, VirtualRegister } from './virtual.ts';
import { backEdge, virtual } from './virtual.ts';

/** A loop that is being emitted, or the section itself. */
interface Scope {
  readonly variable: string | undefined;
  /** The register that counts down from the extent to 1; the section has none. */
  readonly counter: Countdown | undefined;
  /** In front of the loop; for the section, its beginning. */
  readonly entry: VirtualItem[];
  /** At the head of every iteration. */
  readonly head: VirtualItem[];
  readonly body: VirtualItem[];
  /** At the end of every iteration. */
  readonly latch: VirtualItem[];
  readonly registers: Map<string, VirtualField>;
  /** Sums of loop variables, by the text of their terms. */
  readonly inductions: Map<string, Induction>;
}

interface Countdown {
  readonly register: VirtualRegister;
  readonly extent: Expr;
}

/** A register that holds `constant` plus the terms that it is filed under. */
interface Induction {
  readonly register: VirtualRegister;
  readonly constant: number;
}

const newScope = (variable?: string, counter?: Countdown): Scope => ({
  variable,
  counter,
  entry: [],
  head: [],
  body: [],
  latch: [],
  registers: new Map(),
  inductions: new Map(),
});

export class AddressArithmetic {
  readonly #scopes: Scope[] = [newScope()];
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
    this.#scopes.push(newScope(variable, { register: counter, extent }));
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
    return this.#shared(scope, printExpr(e), () => {
      if (isConstant(e)) return this.#constant(e.constant, scope);
      return this.#isInduction(e, scope) ? this.#induction(e, scope) : this.#combination(e, depth, scope);
    });
  }

  /**
   * A register and a constant whose sum is an expression's value, for an operand that has an immediate offset. With the constant free a multiple
   * of a loop variable is a multiple of what the counter says is left.
   */
  valueWithOffset(e: Expr): { readonly register: VirtualField; readonly rest: number } {
    const terms: Expr = { constant: 0, terms: e.terms };
    const [term, ...others] = e.terms;
    const scope = this.#scopeAt(this.#depthOf(variablesOf(e)));
    if (term?.atom.kind !== 'variable' || others.length > 0 || !scope.counter || !isConstant(scope.counter.extent))
      return { register: this.valueOf(terms), rest: e.constant };
    const { register: counter, extent } = scope.counter;
    const register = this.#shared(scope, `left ${printExpr(terms)}`, () =>
      this.#compute(scope, 'SMUL', counter, { immediate: -term.factor }),
    );
    return { register, rest: e.constant + term.factor * extent.constant };
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
    const varying = printExpr({ constant: 0, terms: e.terms });
    const known = scope.inductions.get(varying);
    if (known) return this.#compute(scope, 'SADD', known.register, { immediate: e.constant - known.constant });
    const step = e.terms.find(({ atom }) => atom.kind === 'variable' && atom.name === scope.variable)?.factor ?? 0;
    const rest: Expr = {
      constant: e.constant,
      terms: e.terms.filter(({ atom }) => !(atom.kind === 'variable' && atom.name === scope.variable)),
    };
    const register = this.#newRegister();
    scope.entry.push(...this.#copyOf(rest, register));
    scope.latch.push(virtual('SADD', 'immediate', { result: register, a: register, b: step | 0 }));
    scope.inductions.set(varying, { register, constant: e.constant });
    return register;
  }

  /** Instructions that set a register to an expression of the loops outside the innermost known one. */
  #copyOf(e: Expr, result: VirtualRegister): readonly VirtualInstruction[] {
    if (isConstant(e)) return [virtual('SMOVE', 'immediate', { result, a: e.constant | 0 })];
    const scope = this.#scopeAt(this.#depthOf(variablesOf(e)));
    const terms: Expr = { constant: 0, terms: e.terms };
    const isInduction = this.#isInduction(e, scope);
    const known = isInduction ? scope.inductions.get(printExpr(terms)) : undefined;
    const from = known?.register ?? this.valueOf(isInduction ? e : terms);
    const distance = e.constant - (known?.constant ?? (isInduction ? e.constant : 0));
    return [
      distance === 0
        ? virtual('SMOVE', 'register', { result, a: from })
        : virtual('SADD', 'immediate', { result, a: from, b: distance | 0 }),
    ];
  }

  /** A sum with atoms other than variables that change in the scope's loop: computed at its head. */
  #combination(e: Expr, depth: number, scope: Scope): VirtualField {
    const changing = e.terms.filter(
      ({ atom }) => atom.kind !== 'variable' && this.#depthOf(variablesOf({ constant: 0, terms: [{ factor: 1, atom }] })) === depth,
    );
    const terms = e.terms.filter((term) => !changing.includes(term));
    // The constant goes with what is known outside, or with a minuend; else it is added to the first product.
    const isKnown = terms.length > 0 || changing.every(({ factor }) => factor < 0);
    let sum: VirtualField | undefined = isKnown ? this.valueOf({ constant: e.constant, terms }) : undefined;
    for (const { factor, atom } of changing.sort((a, b) => Number(a.factor < 0) - Number(b.factor < 0))) {
      const product = this.#product(atom, Math.abs(factor), scope);
      if (factor < 0) sum = this.#compute(scope, 'SSUB', sum ?? this.#zero, product);
      else if (sum !== undefined) sum = this.#compute(scope, 'SADD', sum, product);
      else sum = e.constant === 0 ? product : this.#compute(scope, 'SADD', product, { immediate: e.constant });
    }
    return expectDefined(sum, 'a combination has a term');
  }

  #product(atom: Atom, factor: number, scope: Scope): VirtualField {
    if (factor === 1) return this.#atom(atom, scope);
    return this.#shared(scope, `${factor}*${printAtom(atom)}`, () =>
      atom.kind === 'parity' && isVariable(atom.of, scope.variable)
        ? this.#alternating(factor, scope)
        : this.#compute(scope, 'SMUL', this.#atom(atom, scope), { immediate: factor }),
    );
  }

  /** The scope's register of that name, made where there is none. */
  #shared(scope: Scope, key: string, make: () => VirtualField): VirtualField {
    const register = scope.registers.get(key) ?? make();
    scope.registers.set(key, register);
    return register;
  }

  /** A scalar instruction at the head of a loop, into a fresh register. */
  #compute(
    scope: Scope,
    mnemonic: 'SADD' | 'SSUB' | 'SMUL' | 'SDIV' | 'SGT',
    a: VirtualField,
    b: VirtualField | { readonly immediate: number },
  ): VirtualRegister {
    const result = this.#newRegister();
    const isImmediate = typeof b === 'object' && 'immediate' in b;
    scope.head.push(virtual(mnemonic, isImmediate ? 'immediate' : 'register', { result, a, b: isImmediate ? b.immediate | 0 : b }));
    return result;
  }

  #atom(atom: Atom, scope: Scope): VirtualField {
    return this.#shared(scope, `atom ${printAtom(atom)}`, () => {
      switch (atom.kind) {
        case 'variable':
          throw new Error('broken invariant: a variable alone is an induction');
        case 'parity':
          return this.#parity(atom.of, scope);
        case 'positive':
          return this.#positive(atom.of, scope);
        case 'min':
        case 'max':
          return this.#extremum(atom.kind, atom.a, atom.b, scope);
      }
    });
  }

  /** 0 in the first iteration, `other` in the next, and so on. */
  #alternating(other: number, scope: Scope): VirtualRegister {
    const register = this.#newRegister();
    scope.entry.push(virtual('SMOVE', 'immediate', { result: register, a: 0 }));
    scope.latch.push(virtual('SSUB', 'register', { result: register, a: this.valueOf(expr(other)), b: register }));
    return register;
  }

  #parity(of: Expr, scope: Scope): VirtualRegister {
    const value = this.valueOf(of);
    const even = this.#compute(scope, 'SMUL', this.#compute(scope, 'SDIV', value, { immediate: 2 }), { immediate: 2 });
    return this.#compute(scope, 'SSUB', value, even);
  }

  /** Whether an expression is above 0. How far the loop still is from its end is what its counter says. */
  #positive(of: Expr, scope: Scope): VirtualRegister {
    const { counter, variable } = scope;
    if (counter && isConstant(counter.extent) && isVariable(scale(of, -1), variable))
      return this.#compute(scope, 'SGT', counter.register, { immediate: counter.extent.constant - of.constant });
    if (counter && isConstant(counter.extent) && isVariable(of, variable))
      return this.#compute(scope, 'SGT', this.valueOf(expr(counter.extent.constant + of.constant)), counter.register);
    return this.#compute(scope, 'SGT', this.valueOf({ constant: 0, terms: of.terms }), { immediate: -of.constant });
  }

  /** max(a, b) = b + (a > b)·(a − b), min(a, b) = a − (a > b)·(a − b): published instructions only. */
  #extremum(kind: 'min' | 'max', a: Expr, b: Expr, scope: Scope): VirtualRegister {
    const [varying, constant] = isConstant(a) ? [b, a.constant] : [a, isConstant(b) ? b.constant : undefined];
    if (constant === undefined) {
      const difference = this.valueOf(subtract(a, b));
      const excess = this.#compute(scope, 'SMUL', this.#compute(scope, 'SGT', difference, { immediate: 0 }), difference);
      return this.#compute(scope, kind === 'max' ? 'SADD' : 'SSUB', this.valueOf(kind === 'max' ? b : a), excess);
    }
    // With d = varying − constant: max = constant + (d > 0)·d, min = varying − (d > 0)·d.
    const value = this.valueOf(varying);
    const difference = this.valueOf(subtract(varying, constant));
    const excess = this.#compute(scope, 'SMUL', this.#compute(scope, 'SGT', value, { immediate: constant }), difference);
    if (kind === 'min') return this.#compute(scope, 'SSUB', value, excess);
    return constant === 0 ? excess : this.#compute(scope, 'SADD', excess, { immediate: constant });
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

/** Whether an expression is a variable plus a constant. */
function isVariable({ terms: [term, ...others] }: Expr, name: string | undefined): boolean {
  return others.length === 0 && term?.factor === 1 && term.atom.kind === 'variable' && term.atom.name === name;
}
