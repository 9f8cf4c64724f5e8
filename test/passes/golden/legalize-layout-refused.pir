// RUN: opt -p "legalize-layout"
// What no form of is accepted is reported at once: weights that are computed.
graph @test stage(imported) {
  %x: f32[1,2,2,2] = input
  %w: f32[2,2,1,1] = input
  %v: f32[8,8] = input
  %c: f32[1,2,2,2] = conv(%x, %w)
  %f: f32[1,8] = flatten(%c)
  %y: f32[1,8] = relu(%f)
  %z: f32[1,8] = gemm(%y, %v)
  output "z" = %z
}
// ----
// ERROR: unsupported legalize-layout/weights at %c: in a graph of stage legal conv: weights are constants
// ERROR: unsupported legalize-layout/weights at %z: in a graph of stage legal gemm: weights are constants
