// RUN: opt -p "fold-batch-norm"
// Statistics that are computed stay.
graph @test stage(imported) {
  %x: f32[1,2] = input
  %s: f32[2] = input
  %y: f32[1,2] = batch-norm(%x, %s, %s, %s, %s)
  output "y" = %y
}
// ----
graph @test stage(imported) {
  %x: f32[1,2] = input
  %s: f32[2] = input
  %y: f32[1,2] = batch-norm(%x, %s, %s, %s, %s)
  output "y" = %y
}
