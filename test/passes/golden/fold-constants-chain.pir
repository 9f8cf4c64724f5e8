// RUN: opt -p "fold-constants"
// Operations on constants are evaluated, one after the other; what depends on an input stays.
graph @test stage(imported) {
  %x: f32[2] = input
  %a: f32[2] = constant [1, -2]
  %b: f32[2] = constant [0.5, 0.5]
  %sum: f32[2] = add(%a, %b) from ["add"]
  %rectified: f32[2] = relu(%sum) from ["relu"]
  %y: f32[2] = mul(%x, %rectified) from ["mul"]
  output "y" = %y
}
// ----
graph @test stage(imported) {
  %x: f32[2] = input
  %rectified: f32[2] = constant [1.5, 0]
  %y: f32[2] = mul(%x, %rectified) from ["mul"]
  output "y" = %y
}
