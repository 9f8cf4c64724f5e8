// RUN: opt -p "simplify,legalize-layout,reduce-precision{to=bf16}"
// Inputs are converted behind their transposes, by the host; the last product gives f32; biases stay f32.
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
  %image/nhwc/bf16: bf16[1,4,4,2] = cast(%image/nhwc) {to=bf16, device=host}
  %b1: f32[3] = constant [0.5, -0.25, 0]
  %w1/hwio: bf16[3,3,2,3] = constant dense#af0d6d4c3f1370f8247d931bffd16a371992347f3ab0bd448b164b3886742b7b
  %c1: bf16[1,4,4,3] = conv(%image/nhwc/bf16, %w1/hwio, %b1) {pads=[1,1,1,1], layout=nhwc, activation=relu} from ["conv1", "relu1"]
  %p1: bf16[1,2,2,3] = max-pool(%c1) {kernel=[2,2], strides=[2,2], layout=nhwc} from ["pool1"]
  %f: bf16[1,12] = reshape(%p1) {shape=[1,12]} from ["flatten"]
  %b2: f32[2] = constant [1, 2]
  %w2/rows-2x2x3: bf16[12,2] = constant dense#401ef5d09ff774180867eb902c96ca02254f1ee34bde752908a8a9dd118221a7
  %logits: f32[1,2] = gemm(%f, %w2/rows-2x2x3, %b2) {result=f32} from ["fc"]
  output "logits" = %logits
}
