// RUN: opt -p "simplify"
// flatten is a reshape, reshapes in a row are one, and a reshape to the same shape is none.
graph @test stage(imported) {
  %x: f32[2,3,1,1] = input
  %a: f32[2,3] = flatten(%x) from ["a"]
  %b: f32[6] = reshape(%a) {shape=[6]} from ["b"]
  %c: f32[6] = reshape(%b) {shape=[6]} from ["c"]
  %y: f32[6] = relu(%c) from ["y"]
  output "y" = %y
}
// ----
graph @test stage(imported) {
  %x: f32[2,3,1,1] = input
  %b: f32[6] = reshape(%x) {shape=[6]} from ["a", "b", "c"]
  %y: f32[6] = relu(%b) from ["y"]
  output "y" = %y
}
