// RUN: opt -p "legalize-layout"
// Flattening images of one pixel or one channel moves nothing in either layout.
graph @test stage(imported) {
  %x: f32[1,2,2,2] = input
  %w: f32[2,2,2,2] = constant [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
  %v: f32[1,2,1,1] = constant [1, 2]
  %a: f32[1,2,1,1] = conv(%x, %w)
  %y: f32[1,2] = flatten(%a)
  %b: f32[1,1,2,2] = conv(%x, %v)
  %z: f32[1,4] = flatten(%b)
  output "y" = %y
  output "z" = %z
}
// ----
graph @test stage(legal) {
  %x: f32[1,2,2,2] = input
  %x/nhwc: f32[1,2,2,2] = transpose(%x) {perm=[0,2,3,1], device=host}
  %w/hwio: f32[2,2,2,2] = constant [1, 9, 5, 13, 2, 10, 6, 14, 3, 11, 7, 15, 4, 12, 8, 16]
  %a: f32[1,1,1,2] = conv(%x/nhwc, %w/hwio) {layout=nhwc}
  %y: f32[1,2] = reshape(%a) {shape=[1,2]}
  %v/hwio: f32[1,1,2,1] = constant [1, 2]
  %b: f32[1,2,2,1] = conv(%x/nhwc, %v/hwio) {layout=nhwc}
  %z: f32[1,4] = reshape(%b) {shape=[1,4]}
  output "y" = %y
  output "z" = %z
}
