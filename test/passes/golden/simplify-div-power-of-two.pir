// RUN: opt -p "simplify"
// Dividing by powers of two is multiplying by their reciprocals; dividing by 3 is not.
graph @test stage(imported) {
  %x: f32[3] = input
  %c: f32[3] = constant [2, -0.25, 1.7014118e+38]
  %d: f32[3] = constant [2, 3, 4]
  %a: f32[3] = div(%x, %c)
  %b: f32[3] = div(%a, %d)
  output "b" = %b
}
// ----
graph @test stage(imported) {
  %x: f32[3] = input
  %d: f32[3] = constant [2, 3, 4]
  %a/reciprocal: f32[3] = constant [0.5, -4, 5.877472e-39]
  %a: f32[3] = mul(%x, %a/reciprocal)
  %b: f32[3] = div(%a, %d)
  output "b" = %b
}
