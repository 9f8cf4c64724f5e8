// RUN: opt -p "simplify"
// beta goes into a constant c, and away where there is no c; alpha stays.
graph @test stage(imported) {
  %x: f32[1,2] = input
  %w: f32[2,3] = constant [1, 2, 3, 4, 5, 6]
  %c: f32[3] = constant [1, 2, 3]
  %a: f32[1,3] = gemm(%x, %w, %c) {alpha=2, beta=0.1}
  %b: f32[1,3] = gemm(%x, %w) {beta=0.1}
  output "a" = %a
  output "b" = %b
}
// ----
graph @test stage(imported) {
  %x: f32[1,2] = input
  %w: f32[2,3] = constant [1, 2, 3, 4, 5, 6]
  %a/bias: f32[3] = constant [0.1, 0.2, 0.3]
  %a: f32[1,3] = gemm(%x, %w, %a/bias) {alpha=2}
  %b: f32[1,3] = gemm(%x, %w)
  output "a" = %a
  output "b" = %b
}
