// RUN: opt -p "fold-constants{growth=1.25 limit=16}"
// A result of 24 bytes from operands of 20 is folded, one of 36 bytes from operands of 24 is not.
graph @test stage(imported) {
  %x: f32[3,3] = input
  %row: f32[3] = constant [1, 2, 3]
  %column: f32[2,1] = constant [1, 2]
  %small: f32[2,3] = add(%row, %column)
  %tall: f32[3,1] = reshape(%row) {shape=[3,1]}
  %square: f32[3,3] = add(%tall, %row)
  %y: f32[3,3] = add(%x, %square)
  output "small" = %small
  output "y" = %y
}
// ----
graph @test stage(imported) {
  %x: f32[3,3] = input
  %row: f32[3] = constant [1, 2, 3]
  %small: f32[2,3] = constant [2, 3, 4, 3, 4, 5]
  %tall: f32[3,1] = constant [1, 2, 3]
  %square: f32[3,3] = add(%tall, %row)
  %y: f32[3,3] = add(%x, %square)
  output "small" = %small
  output "y" = %y
}
