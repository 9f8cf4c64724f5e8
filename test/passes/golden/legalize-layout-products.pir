// RUN: opt -p "legalize-layout"
// Products are plain: alpha and transposition go into constant weights, general addends are added behind.
graph @test stage(imported) {
  %x: f32[2,3] = input
  %c: f32[2,2] = input
  %w: f32[2,3] = constant [1, 2, 3, 4, 5, 6]
  %v: f32[2,2] = constant [1, 2, 3, 4]
  %bias: f32[2] = constant [1, 2]
  %a: f32[2,2] = gemm(%x, %w, %bias) {alpha=0.5, beta=3, trans_b=true} from ["a"]
  %b: f32[2,2] = gemm(%a, %v, %c) {activation=relu} from ["b"]
  %d: f32[2,2] = gemm(%b, %v, %c) from ["d"]
  output "d" = %d
}
// ----
graph @test stage(legal) {
  %x: f32[2,3] = input
  %c: f32[2,2] = input
  %v: f32[2,2] = constant [1, 2, 3, 4]
  %a/bias: f32[2] = constant [3, 6]
  %a/weights.1: f32[3,2] = constant [0.5, 2, 1, 2.5, 1.5, 3]
  %a: f32[2,2] = gemm(%x, %a/weights.1, %a/bias) from ["a"]
  %b/product: f32[2,2] = gemm(%a, %v) from ["b"]
  %b: f32[2,2] = add(%b/product, %c) {activation=relu} from ["b"]
  %d/product: f32[2,2] = gemm(%b, %v) from ["d"]
  %d: f32[2,2] = add(%d/product, %c) from ["d"]
  output "d" = %d
}
