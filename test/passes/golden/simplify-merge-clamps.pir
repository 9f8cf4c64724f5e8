// RUN: opt -p "simplify"
// Clamps in a row are one with the inner bounds clamped to the outer ones.
graph @test stage(imported) {
  %x: f32[2] = input
  %a: f32[2] = relu(%x) from ["a"]
  %b: f32[2] = relu(%a) from ["b"]
  %c: f32[2] = clip(%b) {min=-1, max=6} from ["c"]
  %d: f32[2] = clip(%c) {min=1, max=8} from ["d"]
  %e: f32[2] = clip(%x) {min=2, max=1} from ["e"]
  %f: f32[2] = relu(%e) from ["f"]
  output "d" = %d
  output "f" = %f
}
// ----
graph @test stage(imported) {
  %x: f32[2] = input
  %d: f32[2] = clip(%x) {min=1, max=6} from ["a", "b", "c", "d"]
  %e: f32[2] = clip(%x) {min=2, max=1} from ["e"]
  %f: f32[2] = relu(%e) from ["f"]
  output "d" = %d
  output "f" = %f
}
