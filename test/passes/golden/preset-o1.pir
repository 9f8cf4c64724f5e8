// RUN: opt -p "O1"
// Convolution, bias, normalisation and activation become one operation.
graph @test stage(imported) {
  %x: f32[1,1,2,2] = input
  %w: f32[2,1,1,1] = constant [1, 2]
  %b: f32[2,1,1] = constant [10, 20]
  %scale: f32[2] = constant [2, 1]
  %shift: f32[2] = constant [0.5, -0.5]
  %mean: f32[2] = constant [0.25, 1]
  %variance: f32[2] = constant [1, 4]
  %c: f32[1,2,2,2] = conv(%x, %w) from ["conv"]
  %a: f32[1,2,2,2] = add(%c, %b) from ["bias"]
  %i: f32[1,2,2,2] = identity(%a) from ["identity"]
  %n: f32[1,2,2,2] = batch-norm(%i, %scale, %shift, %mean, %variance) {epsilon=0} from ["norm"]
  %y: f32[1,2,2,2] = clip(%n) {min=0, max=6} from ["clip"]
  output "y" = %y
}
// ----
graph @test stage(imported) {
  %x: f32[1,1,2,2] = input
  %n/weights: f32[2,1,1,1] = constant [2, 1]
  %n/bias: f32[2] = constant [20, 9]
  %y: f32[1,2,2,2] = conv(%x, %n/weights, %n/bias) {activation=clip, activation_min=0, activation_max=6} from ["conv", "bias", "identity", "norm", "clip"]
  output "y" = %y
}
