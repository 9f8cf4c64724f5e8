// RUN: opt -p "fuse-activation"
// A product that has another user, or is an output, keeps its values.
graph @test stage(imported) {
  %x: f32[1,2] = input
  %w: f32[2,2] = constant [1, 2, 3, 4]
  %p: f32[1,2] = gemm(%x, %w)
  %a: f32[1,2] = relu(%p)
  %b: f32[1,2] = add(%p, %a)
  %q: f32[1,2] = gemm(%b, %w)
  %c: f32[1,2] = relu(%q)
  output "q" = %q
  output "c" = %c
}
// ----
graph @test stage(imported) {
  %x: f32[1,2] = input
  %w: f32[2,2] = constant [1, 2, 3, 4]
  %p: f32[1,2] = gemm(%x, %w)
  %a: f32[1,2] = relu(%p)
  %b: f32[1,2] = add(%p, %a)
  %q: f32[1,2] = gemm(%b, %w)
  %c: f32[1,2] = relu(%q)
  output "q" = %q
  output "c" = %c
}
