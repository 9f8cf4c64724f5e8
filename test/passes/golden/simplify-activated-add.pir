// RUN: opt -p "fuse-activation,simplify"
// A sum that ends in an activation keeps it: as the bias of a product, with its operands exchanged, and where nothing is added.
graph @test stage(imported) {
  %x: f32[1,2] = input
  %w: f32[2,2] = constant [1, 2, 3, 4]
  %b: f32[2] = constant [5, 6]
  %n: f32[1,2] = constant [-0, -0]
  %p: f32[1,2] = gemm(%x, %w)
  %s: f32[1,2] = add(%p, %b)
  %r: f32[1,2] = relu(%s)
  %t: f32[1,2] = add(%b, %x)
  %u: f32[1,2] = clip(%t) {min=-1, max=6}
  %v: f32[1,2] = add(%r, %n)
  %q: f32[1,2] = relu(%v)
  output "r" = %r
  output "u" = %u
  output "q" = %q
}
// ----
graph @test stage(imported) {
  %x: f32[1,2] = input
  %w: f32[2,2] = constant [1, 2, 3, 4]
  %b: f32[2] = constant [5, 6]
  %n: f32[1,2] = constant [-0, -0]
  %r: f32[1,2] = gemm(%x, %w, %b) {activation=relu}
  %u: f32[1,2] = add(%x, %b) {activation=clip, activation_min=-1, activation_max=6}
  %q: f32[1,2] = add(%r, %n) {activation=relu}
  output "r" = %r
  output "u" = %u
  output "q" = %q
}
