// RUN: opt -p "to-fixed-point{fraction=8}"
// Bias and activation follow the product as operations of their own. The host converts inputs and outputs.
graph @test stage(imported) {
  %x: f32[1,2] = input
  %w: f32[2,2] = constant [1, 0.001953125, -3.7, 200]
  %c: f32[2] = constant [0.5, -0.25]
  %h: f32[1,2] = gemm(%x, %w, %c) {activation=relu} from ["h"]
  %y: f32[1,2] = gemm(%h, %w, %c) from ["y"]
  %z: f32[1,2] = gemm(%h, %w) {activation=clip, activation_min=0, activation_max=6} from ["z"]
  output "y" = %y
  output "z" = %z
}
// ----
graph @test stage(imported) {
  %x: f32[1,2] = input
  %w: fx16.8[2,2] = constant [256, 0, -947, 32767]
  %c: fx16.8[2] = constant [128, -64]
  %x/fixed: fx16.8[1,2] = quantize(%x) {to=fx16.8}
  %h/product: fx16.8[1,2] = gemm(%x/fixed, %w) from ["h"]
  %h/sum: fx16.8[1,2] = add(%h/product, %c) from ["h"]
  %h: fx16.8[1,2] = relu(%h/sum) from ["h"]
  %y/product: fx16.8[1,2] = gemm(%h, %w) from ["y"]
  %y: fx16.8[1,2] = add(%y/product, %c) from ["y"]
  %z/product: fx16.8[1,2] = gemm(%h, %w) from ["z"]
  %z: fx16.8[1,2] = clip(%z/product) {min=0, max=6} from ["z"]
  %y/float: f32[1,2] = dequantize(%y)
  %z/float: f32[1,2] = dequantize(%z)
  output "y" = %y/float
  output "z" = %z/float
}
