// RUN: opt -p "simplify"
// A reshape with another user stays for that one.
graph @test stage(imported) {
  %x: f32[2,3] = input
  %a: f32[6] = reshape(%x) {shape=[6]} from ["a"]
  %b: f32[3,2] = reshape(%a) {shape=[3,2]} from ["b"]
  output "a" = %a
  output "b" = %b
}
// ----
graph @test stage(imported) {
  %x: f32[2,3] = input
  %a: f32[6] = reshape(%x) {shape=[6]} from ["a"]
  %b: f32[3,2] = reshape(%x) {shape=[3,2]} from ["a", "b"]
  output "a" = %a
  output "b" = %b
}
