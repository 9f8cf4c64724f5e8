// RUN: opt -p "eliminate-common"
// Constants are one when their bits and types are: 0 and -0 are two, and so are shapes.
graph @test stage(imported) {
  %x: f32[2] = input
  %a: f32[2] = constant [0, 1]
  %b: f32[2] = constant [0, 1]
  %c: f32[2] = constant [-0, 1]
  %d: f32[1,2] = constant [0, 1]
  %e: f32[2] = add(%x, %a)
  %f: f32[2] = add(%x, %b)
  %g: f32[2] = add(%x, %c)
  %h: f32[1,2] = add(%x, %d)
  output "e" = %e
  output "f" = %f
  output "g" = %g
  output "h" = %h
}
// ----
graph @test stage(imported) {
  %x: f32[2] = input
  %a: f32[2] = constant [0, 1]
  %c: f32[2] = constant [-0, 1]
  %d: f32[1,2] = constant [0, 1]
  %e: f32[2] = add(%x, %a)
  %g: f32[2] = add(%x, %c)
  %h: f32[1,2] = add(%x, %d)
  output "e" = %e
  output "f" = %e
  output "g" = %g
  output "h" = %h
}
