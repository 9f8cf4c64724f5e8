// RUN: opt -p "simplify"
// Constants that are read transposed are transposed once, unless another operation reads them as they are.
graph @test stage(imported) {
  %x: f32[1,2] = input
  %w: f32[3,2] = constant [1, 2, 3, 4, 5, 6]
  %v: f32[2,3] = constant [1, 2, 3, 4, 5, 6]
  %u: f32[2,3] = constant [1, 2, 3, 4, 5, 6]
  %shared: f32[3,2] = constant [1, 2, 3, 4, 5, 6]
  %a: f32[1,3] = gemm(%x, %w) {trans_b=true}
  %b: f32[3,3] = gemm(%v, %u) {trans_a=true}
  %c: f32[1,3] = gemm(%x, %shared) {trans_b=true}
  %d: f32[3,2] = relu(%shared)
  output "c" = %c
  output "d" = %d
  output "a" = %a
  output "b" = %b
}
// ----
graph @test stage(imported) {
  %x: f32[1,2] = input
  %u: f32[2,3] = constant [1, 2, 3, 4, 5, 6]
  %shared: f32[3,2] = constant [1, 2, 3, 4, 5, 6]
  %a/weights: f32[2,3] = constant [1, 3, 5, 2, 4, 6]
  %a: f32[1,3] = gemm(%x, %a/weights)
  %b/a: f32[3,2] = constant [1, 4, 2, 5, 3, 6]
  %b: f32[3,3] = gemm(%b/a, %u)
  %c: f32[1,3] = gemm(%x, %shared) {trans_b=true}
  %d: f32[3,2] = relu(%shared)
  output "c" = %c
  output "d" = %d
  output "a" = %a
  output "b" = %b
}
