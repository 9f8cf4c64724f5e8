// RUN: opt -p "simplify"
// A constant per channel that is added to a convolution becomes its bias; one per row does not.
graph @test stage(imported) {
  %x: f32[1,1,2,2] = input
  %w: f32[2,1,1,1] = constant [3, 4]
  %c: f32[2,1,1] = constant [1, 2]
  %s: f32[] = constant [5]
  %r: f32[2,1] = constant [6, 7]
  %p: f32[1,2,2,2] = conv(%x, %w) from ["p"]
  %a: f32[1,2,2,2] = add(%p, %c) from ["a"]
  %q: f32[1,2,2,2] = conv(%x, %w) {strides=[1,1]} from ["q"]
  %b: f32[1,2,2,2] = add(%q, %s) from ["b"]
  %o: f32[1,2,2,2] = conv(%x, %w) from ["o"]
  %d: f32[1,2,2,2] = add(%o, %r) from ["d"]
  output "a" = %a
  output "b" = %b
  output "d" = %d
}
// ----
graph @test stage(imported) {
  %x: f32[1,1,2,2] = input
  %w: f32[2,1,1,1] = constant [3, 4]
  %r: f32[2,1] = constant [6, 7]
  %a/bias: f32[2] = constant [1, 2]
  %a: f32[1,2,2,2] = conv(%x, %w, %a/bias) from ["p", "a"]
  %b/bias: f32[2] = constant [5, 5]
  %b: f32[1,2,2,2] = conv(%x, %w, %b/bias) from ["q", "b"]
  %o: f32[1,2,2,2] = conv(%x, %w) from ["o"]
  %d: f32[1,2,2,2] = add(%o, %r) from ["d"]
  output "a" = %a
  output "b" = %b
  output "d" = %d
}
