// RUN: opt -p "simplify"
// A clip without bounds goes, where no payload of a NaN can tell.
graph @test stage(imported) {
  %x: f32[2] = input
  %a: f32[2] = clip(%x)
  %s: f32[2] = add(%x, %x)
  %b: f32[2] = clip(%s)
  %y: f32[2] = add(%a, %b)
  output "y" = %y
}
// ----
graph @test stage(imported) {
  %x: f32[2] = input
  %a: f32[2] = clip(%x)
  %s: f32[2] = add(%x, %x)
  %y: f32[2] = add(%a, %s)
  output "y" = %y
}
