// RUN: opt -p "eliminate-dead"
// What no output depends on goes, but for inputs, which are part of the signature.
graph @test stage(imported) {
  %x: f32[2] = input
  %unused: f32[2] = input
  %c: f32[2] = constant [1, 2]
  %a: f32[2] = add(%x, %c)
  %b: f32[2] = relu(%a)
  %y: f32[2] = relu(%x)
  output "y" = %y
}
// ----
graph @test stage(imported) {
  %x: f32[2] = input
  %unused: f32[2] = input
  %y: f32[2] = relu(%x)
  output "y" = %y
}
