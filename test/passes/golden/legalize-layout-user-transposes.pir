// RUN: opt -p "legalize-layout"
// A model's own transposes from and to NHWC cancel the ones that the layout needs.
graph @test stage(imported) {
  %x: f32[1,3,3,2] = input
  %w: f32[2,2,1,1] = constant [1, 2, 3, 4]
  %t: f32[1,2,3,3] = transpose(%x) {perm=[0,3,1,2]}
  %c: f32[1,2,3,3] = conv(%t, %w)
  %u: f32[1,3,3,2] = transpose(%c) {perm=[0,2,3,1]}
  %v: f32[1,2,3,3] = transpose(%u) {perm=[0,3,1,2]}
  %d: f32[1,2,3,3] = conv(%v, %w)
  %y: f32[1,3,3,2] = transpose(%d) {perm=[0,2,3,1]}
  %z: f32[1,3,2,3] = transpose(%d) {perm=[0,2,1,3]}
  output "y" = %y
  output "z" = %z
}
// ----
graph @test stage(legal) {
  %x: f32[1,3,3,2] = input
  %w/hwio: f32[1,1,2,2] = constant [1, 3, 2, 4]
  %c: f32[1,3,3,2] = conv(%x, %w/hwio) {layout=nhwc}
  %d: f32[1,3,3,2] = conv(%c, %w/hwio) {layout=nhwc}
  %z: f32[1,3,2,3] = transpose(%d) {perm=[0,1,3,2], device=host}
  output "y" = %d
  output "z" = %z
}
