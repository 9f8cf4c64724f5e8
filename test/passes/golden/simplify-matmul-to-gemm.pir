// RUN: opt -p "simplify"
// A product of two matrices is a gemm; one of a batch is not.
graph @test stage(imported) {
  %a: f32[2,3] = input
  %b: f32[3,2] = input
  %c: f32[4,2,3] = input
  %y: f32[2,2] = matmul(%a, %b)
  %z: f32[4,2,2] = matmul(%c, %b)
  output "y" = %y
  output "z" = %z
}
// ----
graph @test stage(imported) {
  %a: f32[2,3] = input
  %b: f32[3,2] = input
  %c: f32[4,2,3] = input
  %y: f32[2,2] = gemm(%a, %b)
  %z: f32[4,2,2] = matmul(%c, %b)
  output "y" = %y
  output "z" = %z
}
