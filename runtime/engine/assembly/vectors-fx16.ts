/** Element-wise vector and matrix instructions on 16-bit fixed point. */
import { access } from './accesses';
import { divideFixed, expFixed, logFixed, roundProductSum, saturate, trueElement, fraction } from './fixed';

/** An operation on elements; `o` is what stands at the output. */
@unmanaged
export class Add {
  of(o: i32, a: i32, b: i32): i32 {
    return saturate(a + b);
  }
}
@unmanaged
export class Subtract {
  of(o: i32, a: i32, b: i32): i32 {
    return saturate(a - b);
  }
}
@unmanaged
export class Multiply {
  of(o: i32, a: i32, b: i32): i32 {
    return roundProductSum(a * b);
  }
}
@unmanaged
export class MultiplyAdd {
  of(o: i32, a: i32, b: i32): i32 {
    return roundProductSum(((<i64>o) << fraction) + <i64>(a * b));
  }
}
@unmanaged
export class Divide {
  of(o: i32, a: i32, b: i32): i32 {
    return divideFixed(a, b);
  }
}
@unmanaged
export class Greater {
  of(o: i32, a: i32, b: i32): i32 {
    return a > b ? trueElement() : 0;
  }
}
@unmanaged
export class Equal {
  of(o: i32, a: i32, b: i32): i32 {
    return a == b ? trueElement() : 0;
  }
}
@unmanaged
export class And {
  of(o: i32, a: i32, b: i32): i32 {
    return a != 0 && b != 0 ? trueElement() : 0;
  }
}
@unmanaged
export class Or {
  of(o: i32, a: i32, b: i32): i32 {
    return (a | b) != 0 ? trueElement() : 0;
  }
}
@unmanaged
export class GreaterMerge {
  of(o: i32, a: i32, b: i32): i32 {
    return max(a, b);
  }
}
@unmanaged
export class Not {
  of(a: i32, low: i32, high: i32): i32 {
    return a != 0 ? 0 : trueElement();
  }
}
@unmanaged
export class Exponential {
  of(a: i32, low: i32, high: i32): i32 {
    return expFixed(a);
  }
}
@unmanaged
export class Logarithm {
  of(a: i32, low: i32, high: i32): i32 {
    return logFixed(a);
  }
}
@unmanaged
export class AddScalar {
  of(a: i32, low: i32, high: i32): i32 {
    return saturate(a + low);
  }
}
@unmanaged
export class MultiplyScalar {
  of(a: i32, low: i32, high: i32): i32 {
    return roundProductSum(a * low);
  }
}
@unmanaged
export class Clip {
  of(a: i32, low: i32, high: i32): i32 {
    const raised = a < low ? low : a;
    return high < raised ? high : raised;
  }
}

export function binary<T>(): void {
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

export function unary<T>(low: i32 = 0, high: i32 = 0): void {
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
