// RUN: opt -p "fold-batch-norm"
// Into the weights and the bias of the convolution that it alone reads; padding changes nothing.
graph @test stage(imported) {
  %x: f32[1,1,2,2] = input
  %w: f32[2,1,2,1] = constant [1, 2, 3, 4]
  %b: f32[2] = constant [10, 20]
  %scale: f32[2] = constant [2, 1]
  %shift: f32[2] = constant [0.5, -0.5]
  %mean: f32[2] = constant [0.25, 1]
  %variance: f32[2] = constant [1, 4]
  %c: f32[1,2,3,2] = conv(%x, %w, %b) {pads=[1,0,1,0]} from ["conv"]
  %y: f32[1,2,3,2] = batch-norm(%c, %scale, %shift, %mean, %variance) {epsilon=0} from ["norm"]
  output "y" = %y
}
// ----
graph @test stage(imported) {
  %x: f32[1,1,2,2] = input
  %y/weights: f32[2,1,2,1] = constant [2, 4, 1.5, 2]
  %y/bias: f32[2] = constant [20, 9]
  %y: f32[1,2,3,2] = conv(%x, %y/weights, %y/bias) {pads=[1,0,1,0]} from ["conv", "norm"]
  output "y" = %y
}
