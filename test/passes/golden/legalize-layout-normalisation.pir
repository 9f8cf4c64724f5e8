// RUN: opt -p "legalize-layout"
// Batch normalisation that was not folded is arithmetic.
graph @test stage(imported) {
  %x: f32[1,2,2,2] = input
  %w: f32[2,2,1,1] = constant [1, 2, 3, 4]
  %scale: f32[2] = constant [2, 1]
  %shift: f32[2] = constant [0.5, -0.5]
  %mean: f32[2] = constant [0.25, 1]
  %variance: f32[2] = constant [1, 4]
  %n: f32[1,2,2,2] = batch-norm(%x, %scale, %shift, %mean, %variance) {epsilon=0} from ["norm"]
  %c: f32[1,2,2,2] = conv(%n, %w) from ["conv"]
  output "c" = %c
}
// ----
graph @test stage(legal) {
  %x: f32[1,2,2,2] = input
  %x/nhwc: f32[1,2,2,2] = transpose(%x) {perm=[0,2,3,1], device=host}
  %n/scale/nhwc: f32[2] = constant [2, 0.5]
  %n/scaled: f32[1,2,2,2] = mul(%x/nhwc, %n/scale/nhwc) from ["norm"]
  %n/shift/nhwc: f32[2] = constant [0, -1]
  %n: f32[1,2,2,2] = add(%n/scaled, %n/shift/nhwc) from ["norm"]
  %w/hwio: f32[1,1,2,2] = constant [1, 3, 2, 4]
  %c: f32[1,2,2,2] = conv(%n, %w/hwio) {layout=nhwc} from ["conv"]
  %c/nchw: f32[1,2,2,2] = transpose(%c) {perm=[0,3,1,2], device=host} from ["conv"]
  output "c" = %c/nchw
}
