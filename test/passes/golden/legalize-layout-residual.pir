// RUN: opt -p "legalize-layout"
// Operands of elementwise operations follow the images: one value is transposed once, constants are.
graph @test stage(imported) {
  %x: f32[1,2,3,3] = input
  %w: f32[2,2,1,1] = constant [1, 2, 3, 4]
  %s: f32[2,1,1] = constant [5, 6]
  %t: f32[] = constant [7]
  %a: f32[1,2,3,3] = mul(%x, %s)
  %c: f32[1,2,3,3] = conv(%a, %w)
  %b: f32[1,2,3,3] = add(%x, %c)
  %y: f32[1,2,3,3] = div(%b, %t)
  output "y" = %y
}
// ----
graph @test stage(legal) {
  %x: f32[1,2,3,3] = input
  %t: f32[] = constant [7]
  %x/nhwc: f32[1,3,3,2] = transpose(%x) {perm=[0,2,3,1], device=host}
  %s/nhwc: f32[2] = constant [5, 6]
  %a: f32[1,3,3,2] = mul(%x/nhwc, %s/nhwc)
  %w/hwio: f32[1,1,2,2] = constant [1, 3, 2, 4]
  %c: f32[1,3,3,2] = conv(%a, %w/hwio) {layout=nhwc}
  %b: f32[1,3,3,2] = add(%x/nhwc, %c)
  %y: f32[1,3,3,2] = div(%b, %t)
  %y/nchw: f32[1,2,3,3] = transpose(%y) {perm=[0,3,1,2], device=host}
  output "y" = %y/nchw
}
