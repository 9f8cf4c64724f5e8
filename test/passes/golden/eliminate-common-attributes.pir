// RUN: opt -p "eliminate-common"
// Operations with different attributes are different, the sign of zero included.
graph @test stage(imported) {
  %x: f32[2] = input
  %a: f32[2] = clip(%x) {min=0, max=6}
  %b: f32[2] = clip(%x) {min=-0, max=6}
  %c: f32[2] = clip(%x) {min=0, max=6}
  output "a" = %a
  output "b" = %b
  output "c" = %c
}
// ----
graph @test stage(imported) {
  %x: f32[2] = input
  %a: f32[2] = clip(%x) {min=0, max=6}
  %b: f32[2] = clip(%x) {min=-0, max=6}
  output "a" = %a
  output "b" = %b
  output "c" = %a
}
