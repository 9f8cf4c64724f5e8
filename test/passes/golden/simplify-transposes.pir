// RUN: opt -p "simplify"
// Transposes in a row are one, or none where they undo each other.
graph @test stage(imported) {
  %x: f32[1,2,3,4] = input
  %a: f32[1,3,4,2] = transpose(%x) {perm=[0,2,3,1]} from ["a"]
  %b: f32[1,2,3,4] = transpose(%a) {perm=[0,3,1,2]} from ["b"]
  %c: f32[4,3,2,1] = transpose(%a) {perm=[2,1,3,0]} from ["c"]
  %y: f32[1,2,3,4] = relu(%b) from ["y"]
  output "y" = %y
  output "c" = %c
}
// ----
graph @test stage(imported) {
  %x: f32[1,2,3,4] = input
  %c: f32[4,3,2,1] = transpose(%x) {perm=[3,2,1,0]} from ["a", "c"]
  %y: f32[1,2,3,4] = relu(%x) from ["y"]
  output "y" = %y
  output "c" = %c
}
