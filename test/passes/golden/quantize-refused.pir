// RUN: opt -p "quantize"
// Layouts are decided before types.
graph @test stage(imported) {
  %x: f32[1,4] = input
  %y: f32[1,4] = relu(%x)
  output "y" = %y
}
// ----
// ERROR: invalid pass/requires at step 1: quantize: needs a graph in the form that lowering accepts: its stage is imported (run legalize-layout before)
