// RUN: opt -p "legalize-layout"
// A factor, or what is not one number for each column, is applied to the product of halves before it is rounded.
graph @g stage(optimized) {
  %x: f16[2,3] = input
  %r: f32[2,2] = input
  %w: f16[3,2] = constant [0x3c00, 0x3800, 0x3400, 0x4000, 0x4200, 0xbc00]
  %c: f32[2] = constant [0.5, -1]
  %y: f16[2,2] = gemm(%x, %w, %c) {alpha=0.5, activation=relu}
  %z: f16[2,2] = gemm(%x, %w, %r) {beta=2, activation=clip, activation_min=0, activation_max=6}
  %plain: f16[2,2] = gemm(%x, %w, %c) {activation=relu}
  output "y" = %y
  output "z" = %z
  output "plain" = %plain
}
// ----
graph @g stage(legal) {
  %x: f16[2,3] = input
  %r: f32[2,2] = input
  %w: f16[3,2] = constant [0x3c00, 0x3800, 0x3400, 0x4000, 0x4200, 0xbc00]
  %c: f32[2] = constant [0.5, -1]
  %y/product: f32[2,2] = gemm(%x, %w) {result=f32}
  %y/factor: f32[] = constant [0.5]
  %y/scaled: f32[2,2] = mul(%y/product, %y/factor)
  %y/sum: f32[2,2] = add(%y/scaled, %c)
  %y/ended: f32[2,2] = relu(%y/sum)
  %y: f16[2,2] = cast(%y/ended) {to=f16, device=host}
  %z/product: f32[2,2] = gemm(%x, %w) {result=f32}
  %z/factor: f32[] = constant [2]
  %z/c: f32[2,2] = mul(%r, %z/factor)
  %z/sum: f32[2,2] = add(%z/product, %z/c)
  %z/ended: f32[2,2] = clip(%z/sum) {min=0, max=6}
  %z: f16[2,2] = cast(%z/ended) {to=f16, device=host}
  %plain: f16[2,2] = gemm(%x, %w, %c) {activation=relu}
  output "y" = %y
  output "z" = %z
  output "plain" = %plain
}
