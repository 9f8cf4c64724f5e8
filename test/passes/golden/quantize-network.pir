// RUN: opt -p "simplify,legalize-layout,quantize"
// What a pooling hands on has the type of what it reads; relu is in the range of the values.
graph @test stage(imported) {
  %image: f32[1,2,4,4] = input
  %w1: f32[3,2,3,3] = constant [0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625]
  %b1: f32[3] = constant [0.5, -0.25, 0]
  %c1: f32[1,3,4,4] = conv(%image, %w1, %b1) {pads=[1,1,1,1], activation=relu} from ["conv1", "relu1"]
  %p1: f32[1,3,2,2] = max-pool(%c1) {kernel=[2,2], strides=[2,2]} from ["pool1"]
  %f: f32[1,12] = flatten(%p1) from ["flatten"]
  %w2: f32[12,2] = constant [-0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125, -0.125]
  %b2: f32[2] = constant [1, 2]
  %logits: f32[1,2] = gemm(%f, %w2, %b2) from ["fc"]
  output "logits" = %logits
}
// ----
graph @test stage(legal) {
  %image: f32[1,2,4,4] = input
  %image/nhwc: f32[1,4,4,2] = transpose(%image) {perm=[0,2,3,1], device=host}
  %image/nhwc/i8: i8<0.015049556,-1>[1,4,4,2] = quantize(%image/nhwc) {to=i8<0.015049556,-1>, device=host}
  %b1: i32[3] = constant [67510, -33755, 0]
  %w1/hwio: i8<axis=3:0.000492126 0.000492126 0.000492126>[3,3,2,3] = constant dense#c011965e80861979d380df75d0056ff7f708025c7279039659acc257e46b1862
  %c1: i8<0.00324711,-128>[1,4,4,3] = conv(%image/nhwc/i8, %w1/hwio, %b1) {pads=[1,1,1,1], layout=nhwc, activation=relu, result=i8<0.00324711,-128>} from ["conv1", "relu1"]
  %p1: i8<0.00324711,-128>[1,2,2,3] = max-pool(%c1) {kernel=[2,2], strides=[2,2], layout=nhwc} from ["pool1"]
  %f: i8<0.00324711,-128>[1,12] = reshape(%p1) {shape=[1,12]} from ["flatten"]
  %b2: i32[2] = constant [312894, 625787]
  %w2/rows-2x2x3: i8<axis=1:0.000984252 0.000984252>[12,2] = constant dense#7b6a06c80b8d56e41829b22c371d24b6c214a2745251a26fa2f51bc3d71d404f
  %logits: f32[1,2] = gemm(%f, %w2/rows-2x2x3, %b2) {result=f32} from ["fc"]
  output "logits" = %logits
}
