// RUN: opt -p "simplify"
// x * 1 is x where x is computed. An input can hold a NaN whose payload the multiplication removes, so there it stays.
graph @test stage(imported) {
  %x: f32[2] = input
  %one: f32[2] = constant [1, 1]
  %a: f32[2] = mul(%x, %one)
  %b: f32[2] = mul(%a, %one)
  %c: f32[2,2] = constant [1, 1, 1, 1]
  %y: f32[2,2] = mul(%b, %c)
  output "y" = %y
}
// ----
graph @test stage(imported) {
  %x: f32[2] = input
  %one: f32[2] = constant [1, 1]
  %a: f32[2] = mul(%x, %one)
  %c: f32[2,2] = constant [1, 1, 1, 1]
  %y: f32[2,2] = mul(%a, %c)
  output "y" = %y
}
