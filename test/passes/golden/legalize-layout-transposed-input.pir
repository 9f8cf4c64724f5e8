// RUN: opt -p "legalize-layout"
// An input that is read transposed is transposed by the host.
graph @test stage(imported) {
  %x: f32[3,2] = input
  %w: f32[3,2] = constant [1, 2, 3, 4, 5, 6]
  %u: f32[1,3] = constant [1, 2, 3]
  %w2: f32[1,3] = constant [1, 2, 3]
  %y: f32[2,2] = gemm(%x, %w) {trans_a=true}
  %z: f32[3,3] = gemm(%u, %w2) {trans_a=true}
  output "y" = %y
  output "z" = %z
}
// ----
graph @test stage(legal) {
  %x: f32[3,2] = input
  %w: f32[3,2] = constant [1, 2, 3, 4, 5, 6]
  %w2: f32[1,3] = constant [1, 2, 3]
  %y/transposed: f32[2,3] = transpose(%x) {perm=[1,0], device=host}
  %y: f32[2,2] = gemm(%y/transposed, %w)
  %z/a: f32[3,1] = constant [1, 2, 3]
  %z: f32[3,3] = gemm(%z/a, %w2)
  output "y" = %y
  output "z" = %z
}
