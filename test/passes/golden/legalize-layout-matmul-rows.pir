// RUN: opt -p "legalize-layout"
// A batch of rows by a constant matrix is one product.
graph @test stage(imported) {
  %x: f32[2,2,3] = input
  %w: f32[3,2] = constant [1, 2, 3, 4, 5, 6]
  %y: f32[2,2,2] = matmul(%x, %w) from ["y"]
  output "y" = %y
}
// ----
graph @test stage(legal) {
  %x: f32[2,2,3] = input
  %w: f32[3,2] = constant [1, 2, 3, 4, 5, 6]
  %y/rows: f32[4,3] = reshape(%x) {shape=[4,3]} from ["y"]
  %y/product: f32[4,2] = gemm(%y/rows, %w) from ["y"]
  %y: f32[2,2,2] = reshape(%y/product) {shape=[2,2,2]} from ["y"]
  output "y" = %y
}
