// RUN: opt -p "legalize-layout"
// Images are NHWC from the first transpose on, weights H×W×I×O; the rows of the product behind the flattening are permuted.
graph @test stage(imported) {
  %image: f32[1,1,4,6] = input
  %w: f32[2,1,2,2] = constant [1, 2, 3, 4, 5, 6, 7, 8]
  %v: f32[4,3] = constant [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
  %c: f32[1,2,3,5] = conv(%image, %w) from ["conv"]
  %r: f32[1,2,3,5] = relu(%c) from ["relu"]
  %p: f32[1,2,1,2] = max-pool(%r) {kernel=[2,2], strides=[2,2]} from ["pool"]
  %f: f32[1,4] = flatten(%p) from ["flatten"]
  %d: f32[1,4] = relu(%f) from ["relu 2"]
  %y: f32[1,3] = gemm(%d, %v) from ["product"]
  output "y" = %y
}
// ----
graph @test stage(legal) {
  %image: f32[1,1,4,6] = input
  %image/nhwc: f32[1,4,6,1] = transpose(%image) {perm=[0,2,3,1], device=host}
  %w/hwio: f32[2,2,1,2] = constant [1, 5, 2, 6, 3, 7, 4, 8]
  %c: f32[1,3,5,2] = conv(%image/nhwc, %w/hwio) {layout=nhwc} from ["conv"]
  %r: f32[1,3,5,2] = relu(%c) from ["relu"]
  %p: f32[1,1,2,2] = max-pool(%r) {kernel=[2,2], strides=[2,2], layout=nhwc} from ["pool"]
  %f: f32[1,4] = reshape(%p) {shape=[1,4]} from ["flatten"]
  %d: f32[1,4] = relu(%f) from ["relu 2"]
  %v/rows-1x2x2: f32[4,3] = constant [1, 2, 3, 7, 8, 9, 4, 5, 6, 10, 11, 12]
  %y: f32[1,3] = gemm(%d, %v/rows-1x2x2) from ["product"]
  output "y" = %y
}
