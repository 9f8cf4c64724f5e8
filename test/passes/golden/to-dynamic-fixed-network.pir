// RUN: opt -p "simplify,legalize-layout,to-dynamic-fixed"
// Each value has its own binary point; a bias has as many fraction bits as the products.
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
  %image/nhwc/fx16-14: fx16.14[1,4,4,2] = quantize(%image/nhwc) {to=fx16.14, device=host}
  %b1: i64[3] = constant [268435456, -134217728, 0]
  %w1/hwio: fx16.15[3,3,2,3] = constant dense#f5d83932acb5cff734ea0e3a38238442752d2f72e4bfd7fbd597b261116a7733
  %c1: fx16.15[1,4,4,3] = conv(%image/nhwc/fx16-14, %w1/hwio, %b1) {pads=[1,1,1,1], layout=nhwc, activation=relu, result=fx16.15} from ["conv1", "relu1"]
  %p1: fx16.15[1,2,2,3] = max-pool(%c1) {kernel=[2,2], strides=[2,2], layout=nhwc} from ["pool1"]
  %f: fx16.15[1,12] = reshape(%p1) {shape=[1,12]} from ["flatten"]
  %b2: i64[2] = constant [1073741824, 2147483648]
  %w2/rows-2x2x3: fx16.15[12,2] = constant dense#3deaa9af6ae08ad7b69e1432ce94235138f9fb96649ce97a5ca9ea6d76bb31d3
  %logits: f32[1,2] = gemm(%f, %w2/rows-2x2x3, %b2) {result=f32} from ["fc"]
  output "logits" = %logits
}
