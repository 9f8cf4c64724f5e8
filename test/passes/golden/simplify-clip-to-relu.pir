// RUN: opt -p "simplify"
// A clip at +0 from below is relu; one at -0 is not, for it gives -0.
graph @test stage(imported) {
  %x: f32[2] = input
  %a: f32[2] = clip(%x) {min=0}
  %b: f32[2] = clip(%x) {min=-0}
  output "a" = %a
  output "b" = %b
}
// ----
graph @test stage(imported) {
  %x: f32[2] = input
  %a: f32[2] = relu(%x)
  %b: f32[2] = clip(%x) {min=-0}
  output "a" = %a
  output "b" = %b
}
