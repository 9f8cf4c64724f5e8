// RUN: opt -p "to-dynamic-fixed"
// What has no form in the new type stays f32 between conversions.
graph @test stage(legal) {
  %x: f32[1,4] = input
  %c: f32[4] = constant [1, 2, 3, 4]
  %s: f32[1,4] = mul(%x, %c) from ["scale"]
  %p: f32[1,4] = softmax(%s) from ["softmax"]
  %w: f32[4,2] = constant [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
  %y: f32[1,2] = gemm(%p, %w) {activation=relu} from ["fc"]
  %z: f32[1,2] = sigmoid(%y) from ["sigmoid"]
  output "y" = %y
  output "z" = %z
}
// ----
graph @test stage(legal) {
  %x: f32[1,4] = input
  %c: f32[4] = constant [1, 2, 3, 4]
  %s: f32[1,4] = mul(%x, %c) from ["scale"]
  %p: f32[1,4] = softmax(%s) from ["softmax"]
  %p/fx16-15: fx16.15[1,4] = quantize(%p) {to=fx16.15}
  %w: fx16.15[4,2] = constant [16384, 16384, 16384, 16384, 16384, 16384, 16384, 16384]
  %y: fx16.15[1,2] = gemm(%p/fx16-15, %w) {activation=relu} from ["fc"]
  %y/f32: f32[1,2] = dequantize(%y)
  %z: f32[1,2] = sigmoid(%y/f32) from ["sigmoid"]
  output "y" = %y/f32
  output "z" = %z
}
