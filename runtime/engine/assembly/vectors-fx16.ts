/** Element-wise vector and matrix instructions on 16-bit fixed point. */
import { access } from './accesses';
import { divideFixed, expFixed, logFixed, roundProductSum, saturate, trueElement, fraction } from './fixed';

/** An operation on elements; `o` is what stands at the output. */
@unmanaged
class Add {
  of(o: i32, a: i32, b: i32): i32 {
    return saturate(a + b);
  }
}
@unmanaged
class Subtract {
  of(o: i32, a: i32, b: i32): i32 {
    return saturate(a - b);
  }
}
@unmanaged
class Multiply {
  of(o: i32, a: i32, b: i32): i32 {
    return roundProductSum(a * b);
  }
}
@unmanaged
class MultiplyAdd {
  of(o: i32, a: i32, b: i32): i32 {
    return roundProductSum(((<i64>o) << fraction) + <i64>(a * b));
  }
}
@unmanaged
class Divide {
  of(o: i32, a: i32, b: i32): i32 {
    return divideFixed(a, b);
  }
}
@unmanaged
class Greater {
  of(o: i32, a: i32, b: i32): i32 {
    return a > b ? trueElement() : 0;
  }
}
@unmanaged
class Equal {
  of(o: i32, a: i32, b: i32): i32 {
    return a == b ? trueElement() : 0;
  }
}
@unmanaged
class And {
  of(o: i32, a: i32, b: i32): i32 {
    return a != 0 && b != 0 ? trueElement() : 0;
  }
}
@unmanaged
class Or {
  of(o: i32, a: i32, b: i32): i32 {
    return (a | b) != 0 ? trueElement() : 0;
  }
}
@unmanaged
class GreaterMerge {
  of(o: i32, a: i32, b: i32): i32 {
    return max(a, b);
  }
}
@unmanaged
class Not {
  of(a: i32, low: i32, high: i32): i32 {
    return a != 0 ? 0 : trueElement();
  }
}
@unmanaged
class Exponential {
  of(a: i32, low: i32, high: i32): i32 {
    return expFixed(a);
  }
}
@unmanaged
class Logarithm {
  of(a: i32, low: i32, high: i32): i32 {
    return logFixed(a);
  }
}
@unmanaged
class AddScalar {
  of(a: i32, low: i32, high: i32): i32 {
    return saturate(a + low);
  }
}
@unmanaged
class MultiplyScalar {
  of(a: i32, low: i32, high: i32): i32 {
    return roundProductSum(a * low);
  }
}
@unmanaged
class Clip {
  of(a: i32, low: i32, high: i32): i32 {
    const raised = a < low ? low : a;
    return high < raised ? high : raised;
  }
}

function binary<T>(): void {
  const operation = changetype<T>(0);
  let out = access(0).pointer;
  let a = access(1).pointer;
  let b = access(2).pointer;
  const bytes = <usize>access(0).rowBytes;
  for (let r = <i32>access(0).rows; r > 0; r--) {
    for (let i: usize = 0; i < bytes; i += 2) store<i16>(out + i, operation.of(load<i16>(out + i), load<i16>(a + i), load<i16>(b + i)));
    out += <usize>access(0).stride;
    a += <usize>access(1).stride;
    b += <usize>access(2).stride;
  }
}

function unary<T>(low: i32, high: i32): void {
  const operation = changetype<T>(0);
  let out = access(0).pointer;
  let a = access(1).pointer;
  const bytes = <usize>access(0).rowBytes;
  for (let r = <i32>access(0).rows; r > 0; r--) {
    for (let i: usize = 0; i < bytes; i += 2) store<i16>(out + i, operation.of(load<i16>(a + i), low, high));
    out += <usize>access(0).stride;
    a += <usize>access(1).stride;
  }
}

export function add(): void {
  binary<Add>();
}
export function subtract(): void {
  binary<Subtract>();
}
export function multiply(): void {
  binary<Multiply>();
}
export function multiplyAdd(): void {
  binary<MultiplyAdd>();
}
export function divide(): void {
  binary<Divide>();
}
export function greater(): void {
  binary<Greater>();
}
export function equal(): void {
  binary<Equal>();
}
export function and(): void {
  binary<And>();
}
export function or(): void {
  binary<Or>();
}
export function greaterMerge(): void {
  binary<GreaterMerge>();
}
export function not(): void {
  unary<Not>(0, 0);
}
export function exponential(): void {
  unary<Exponential>(0, 0);
}
export function logarithm(): void {
  unary<Logarithm>(0, 0);
}
export function addScalar(scalar: i32): void {
  unary<AddScalar>(scalar, 0);
}
export function multiplyScalar(scalar: i32): void {
  unary<MultiplyScalar>(scalar, 0);
}
export function clip(low: i32, high: i32): void {
  unary<Clip>(low, high);
}

/** Every element of one vector times every element of another. */
export function outerProduct(): void {
  let out = access(0).pointer;
  const a = access(1).pointer;
  const b = access(2).pointer;
  const aBytes = <usize>access(1).rowBytes;
  const bBytes = <usize>access(2).rowBytes;
  for (let i: usize = 0; i < aBytes; i += 2) {
    const left = <i32>load<i16>(a + i);
    for (let j: usize = 0; j < bBytes; j += 2) {
      store<i16>(out, roundProductSum(left * <i32>load<i16>(b + j)));
      out += 2;
    }
  }
}
