/**
 * Element-wise vector instructions on binary32, four elements at a time. The output coincides with an input or does not meet it, so the order
 * of elements does not matter; that of rows does where the output is one row for all.
 */
import { access } from './accesses';
import * as transcendental from './transcendental';

/** An operation on four elements; `o` is what stands at the output. */
@unmanaged
export class Add {
  of(o: v128, a: v128, b: v128): v128 {
    return f32x4.add(a, b);
  }
}
@unmanaged
export class Subtract {
  of(o: v128, a: v128, b: v128): v128 {
    return f32x4.sub(a, b);
  }
}
@unmanaged
export class Multiply {
  of(o: v128, a: v128, b: v128): v128 {
    return f32x4.mul(a, b);
  }
}
/** The product is rounded, then the sum. */
@unmanaged
export class MultiplyAdd {
  of(o: v128, a: v128, b: v128): v128 {
    return f32x4.add(o, f32x4.mul(a, b));
  }
}
@unmanaged
export class Divide {
  of(o: v128, a: v128, b: v128): v128 {
    return f32x4.div(a, b);
  }
}
/** 1 where a mask is set. */
function ones(mask: v128): v128 {
  return v128.and(mask, f32x4.splat(1));
}
function isTrue(a: v128): v128 {
  return f32x4.ne(a, f32x4.splat(0));
}
@unmanaged
export class Greater {
  of(o: v128, a: v128, b: v128): v128 {
    return ones(f32x4.gt(a, b));
  }
}
@unmanaged
export class Equal {
  of(o: v128, a: v128, b: v128): v128 {
    return ones(f32x4.eq(a, b));
  }
}
@unmanaged
export class And {
  of(o: v128, a: v128, b: v128): v128 {
    return ones(v128.and(isTrue(a), isTrue(b)));
  }
}
@unmanaged
export class Or {
  of(o: v128, a: v128, b: v128): v128 {
    return ones(v128.or(isTrue(a), isTrue(b)));
  }
}
@unmanaged
export class GreaterMerge {
  of(o: v128, a: v128, b: v128): v128 {
    return f32x4.pmax(b, a);
  }
}
@unmanaged
export class Not {
  of(a: v128, low: v128, high: v128): v128 {
    return ones(f32x4.eq(a, f32x4.splat(0)));
  }
}
@unmanaged
export class AddScalar {
  of(a: v128, low: v128, high: v128): v128 {
    return f32x4.add(a, low);
  }
}
@unmanaged
export class Identity {
  of(a: v128, low: v128, high: v128): v128 {
    return a;
  }
}
@unmanaged
export class Relu {
  of(a: v128, low: v128, high: v128): v128 {
    return f32x4.pmax(a, f32x4.splat(0));
  }
}
@unmanaged
export class Clip {
  of(a: v128, low: v128, high: v128): v128 {
    return f32x4.pmin(f32x4.pmax(a, low), high);
  }
}

@unmanaged
export class Exponential {
  of(a: v128, low: v128, high: v128): v128 {
    return transcendental.exponential(a);
  }
}
@unmanaged
export class Logarithm {
  of(a: v128, low: v128, high: v128): v128 {
    return transcendental.logarithm(a);
  }
}

/** Every NaN of the output gets the canonical bits. Most outputs have none, so operations only take notice of NaN, and this is seldom called. */
function canonicalise(): void {
  let out = access(0).pointer;
  const bytes = <usize>access(0).rowBytes;
  for (let r = <i32>access(0).rows; r > 0; r--) {
    for (let i: usize = 0; i < bytes; i += 4) {
      const x = load<f32>(out + i);
      if (x != x) store<u32>(out + i, 0x7fc00000);
    }
    out += <usize>access(0).stride;
  }
}

/** `updates`: the operation reads what stands at the output. */
export function binary<T>(updates: bool = false): void {
  const operation = changetype<T>(0);
  const nothing = i64x2.splat(0);
  let out = access(0).pointer;
  let a = access(1).pointer;
  let b = access(2).pointer;
  const outStride = <usize>access(0).stride;
  const aStride = <usize>access(1).stride;
  const bStride = <usize>access(2).stride;
  let bytes = <usize>access(0).rowBytes;
  let rows = <usize>access(0).rows;
  if (outStride == bytes && aStride == bytes && bStride == bytes) {
    bytes *= rows;
    rows = 1;
  }
  let nan = i64x2.splat(0);
  for (; rows > 0; rows--) {
    let o = out;
    let l = a;
    let r = b;
    let left = bytes;
    for (; left >= 32; left -= 32) {
      const x = operation.of(updates ? v128.load(o) : nothing, v128.load(l), v128.load(r));
      const y = operation.of(updates ? v128.load(o, 16) : nothing, v128.load(l, 16), v128.load(r, 16));
      nan = v128.or(nan, v128.or(f32x4.ne(x, x), f32x4.ne(y, y)));
      v128.store(o, x);
      v128.store(o, y, 16);
      o += 32;
      l += 32;
      r += 32;
    }
    for (; left >= 16; left -= 16) {
      const x = operation.of(updates ? v128.load(o) : nothing, v128.load(l), v128.load(r));
      nan = v128.or(nan, f32x4.ne(x, x));
      v128.store(o, x);
      o += 16;
      l += 16;
      r += 16;
    }
    for (; left > 0; left -= 4) {
      const x = operation.of(updates ? v128.load32_zero(o) : nothing, v128.load32_zero(l), v128.load32_zero(r));
      nan = v128.or(nan, f32x4.ne(x, x));
      v128.store_lane<u32>(o, x, 0);
      o += 4;
      l += 4;
      r += 4;
    }
    out += outStride;
    a += aStride;
    b += bStride;
  }
  if (v128.any_true(nan)) canonicalise();
}

export function unary<T>(low: f32 = 0, high: f32 = 0): void {
  const operation = changetype<T>(0);
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  let out = access(0).pointer;
  let a = access(1).pointer;
  const outStride = <usize>access(0).stride;
  const aStride = <usize>access(1).stride;
  const bytes = <usize>access(0).rowBytes;
  let nan = i64x2.splat(0);
  for (let rows = <usize>access(0).rows; rows > 0; rows--) {
    let o = out;
    let l = a;
    let left = bytes;
    for (; left >= 16; left -= 16) {
      const x = operation.of(v128.load(l), lows, highs);
      nan = v128.or(nan, f32x4.ne(x, x));
      v128.store(o, x);
      o += 16;
      l += 16;
    }
    for (; left > 0; left -= 4) {
      const x = operation.of(v128.load32_zero(l), lows, highs);
      nan = v128.or(nan, f32x4.ne(x, x));
      v128.store_lane<u32>(o, x, 0);
      o += 4;
      l += 4;
    }
    out += outStride;
    a += aStride;
  }
  if (v128.any_true(nan)) canonicalise();
}
