// RUN: opt -p "quantize"
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
  %p/i8: i8<0.0037861187,-128>[1,4] = quantize(%p) {to=i8<0.0037861187,-128>}
  %w: i8<axis=1:0.003937008 0.003937008>[4,2] = constant [127, 127, 127, 127, 127, 127, 127, 127]
  %y: i8<0.0019607844,-128>[1,2] = gemm(%p/i8, %w) {activation=relu, result=i8<0.0019607844,-128>} from ["fc"]
  %y/f32: f32[1,2] = dequantize(%y)
  %z: f32[1,2] = sigmoid(%y/f32) from ["sigmoid"]
  output "y" = %y/f32
  output "z" = %z
}
