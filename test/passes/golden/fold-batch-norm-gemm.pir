// RUN: opt -p "fold-batch-norm"
// Into the columns of the weights of a product, which need not be stored plainly.
graph @test stage(imported) {
  %x: f32[1,3] = input
  %w: f32[2,3] = constant [1, 2, 3, 4, 5, 6]
  %scale: f32[2] = constant [2, 1]
  %shift: f32[2] = constant [0.5, -0.5]
  %mean: f32[2] = constant [0.25, 1]
  %variance: f32[2] = constant [1, 4]
  %p: f32[1,2] = gemm(%x, %w) {trans_b=true} from ["product"]
  %y: f32[1,2] = batch-norm(%p, %scale, %shift, %mean, %variance) {epsilon=0} from ["norm"]
  output "y" = %y
}
// ----
graph @test stage(imported) {
  %x: f32[1,3] = input
  %y/weights: f32[3,2] = constant [2, 2, 4, 2.5, 6, 3]
  %y/bias: f32[2] = constant [0, -1]
  %y: f32[1,2] = gemm(%x, %y/weights, %y/bias) from ["product", "norm"]
  output "y" = %y
}
