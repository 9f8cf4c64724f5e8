// RUN: opt -p "simplify"
// x + (-0) is x for every x. x + (+0) is not: it makes +0 of -0.
graph @test stage(imported) {
  %x: f32[2] = input
  %negative: f32[2] = constant [-0, -0]
  %positive: f32[] = constant [0]
  %r: f32[2] = mul(%x, %x)
  %a: f32[2] = add(%r, %negative)
  %b: f32[2] = add(%a, %positive)
  output "b" = %b
}
// ----
graph @test stage(imported) {
  %x: f32[2] = input
  %positive: f32[] = constant [0]
  %r: f32[2] = mul(%x, %x)
  %b: f32[2] = add(%r, %positive)
  output "b" = %b
}
