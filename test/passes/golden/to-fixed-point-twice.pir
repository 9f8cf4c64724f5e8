// RUN: opt -p "to-fixed-point,to-fixed-point"
// A graph that is in fixed point is not converted again.
graph @test stage(imported) {
  %x: f32[2] = input
  %y: f32[2] = relu(%x)
  output "y" = %y
}
// ----
// ERROR: invalid pass/requires at step 2: to-fixed-point: needs a graph without values in narrow floats, fixed point or quantized, but for what the host converts and converts back: %x/fixed has the element type fx16.10 (the graph has been converted already)
