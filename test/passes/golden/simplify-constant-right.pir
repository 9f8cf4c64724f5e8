// RUN: opt -p "simplify"
// Constants of commutative operations stand on the right.
graph @test stage(imported) {
  %x: f32[2] = input
  %c: f32[2] = constant [3, 4]
  %a: f32[2] = add(%c, %x)
  %b: f32[2] = mul(%c, %a)
  %y: f32[2] = sub(%c, %b)
  output "y" = %y
}
// ----
graph @test stage(imported) {
  %x: f32[2] = input
  %c: f32[2] = constant [3, 4]
  %a: f32[2] = add(%x, %c)
  %b: f32[2] = mul(%a, %c)
  %y: f32[2] = sub(%c, %b)
  output "y" = %y
}
