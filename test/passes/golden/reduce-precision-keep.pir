// RUN: opt -p "simplify,legalize-layout,reduce-precision{keep=conv?|max-*}"
// Patterns choose by source node, op or value.
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
  %w1/hwio: f32[3,3,2,3] = constant dense#953aa8675c489536676d4d2d2de821e9d6aa9d2b8a2c23d94af160e2a602d92a
  %b1: f32[3] = constant [0.5, -0.25, 0]
  %c1: f32[1,4,4,3] = conv(%image/nhwc, %w1/hwio, %b1) {pads=[1,1,1,1], layout=nhwc, activation=relu} from ["conv1", "relu1"]
  %p1: f32[1,2,2,3] = max-pool(%c1) {kernel=[2,2], strides=[2,2], layout=nhwc} from ["pool1"]
  %p1/f16: f16[1,2,2,3] = cast(%p1) {to=f16}
  %f: f16[1,12] = reshape(%p1/f16) {shape=[1,12]} from ["flatten"]
  %b2: f32[2] = constant [1, 2]
  %w2/rows-2x2x3: f16[12,2] = constant dense#c73564ac6d3d602c201b3523d9f9db77724b491ac17a0c679f0a4c20edf12548
  %logits: f32[1,2] = gemm(%f, %w2/rows-2x2x3, %b2) {result=f32} from ["fc"]
  output "logits" = %logits
}
