// RUN: opt -p "simplify"
// Fixed point has one zero.
graph @test stage(imported) {
  %x: fx16.8[2] = input
  %zero: fx16.8[2] = constant [0, 0]
  %a: fx16.8[2] = add(%x, %zero)
  %y: fx16.8[2] = relu(%a)
  output "y" = %y
}
// ----
graph @test stage(imported) {
  %x: fx16.8[2] = input
  %y: fx16.8[2] = relu(%x)
  output "y" = %y
}
