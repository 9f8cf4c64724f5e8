// RUN: opt -p "reduce-precision{to=f8e4m3}"
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
  %x/f8e4m3: f8e4m3[1,4] = cast(%x) {to=f8e4m3, device=host}
  %c: f8e4m3[4] = constant [0x38, 0x40, 0x44, 0x48]
  %s: f8e4m3[1,4] = mul(%x/f8e4m3, %c) from ["scale"]
  %s/f32: f32[1,4] = cast(%s) {to=f32}
  %p: f32[1,4] = softmax(%s/f32) from ["softmax"]
  %p/f8e4m3: f8e4m3[1,4] = cast(%p) {to=f8e4m3}
  %w: f8e4m3[4,2] = constant [0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30]
  %y: f32[1,2] = gemm(%p/f8e4m3, %w) {activation=relu, result=f32} from ["fc"]
  %z: f32[1,2] = sigmoid(%y) from ["sigmoid"]
  output "y" = %y
  output "z" = %z
}
