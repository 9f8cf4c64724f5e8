// RUN: opt -p "legalize-layout"
// Constants that are broadcast otherwise than over leading dimensions are written out; commutative operations have the broadcast operand on the right.
graph @test stage(imported) {
  %x: f32[1,2,2,2] = input
  %one: f32[] = constant [1]
  %row: f32[2,1] = constant [1, 2]
  %w: f32[2,2,1,1] = constant [1, 2, 3, 4]
  %c: f32[1,2,2,2] = conv(%x, %w)
  %a: f32[1,2,2,2] = sub(%one, %c)
  %b: f32[1,2,2,2] = add(%row, %a)
  output "b" = %b
}
// ----
graph @test stage(legal) {
  %x: f32[1,2,2,2] = input
  %x/nhwc: f32[1,2,2,2] = transpose(%x) {perm=[0,2,3,1], device=host}
  %w/hwio: f32[1,1,2,2] = constant [1, 3, 2, 4]
  %c: f32[1,2,2,2] = conv(%x/nhwc, %w/hwio) {layout=nhwc}
  %a/expanded: f32[1,2,2,2] = constant [1, 1, 1, 1, 1, 1, 1, 1]
  %a: f32[1,2,2,2] = sub(%a/expanded, %c)
  %b/expanded: f32[2,2,2] = constant [1, 1, 1, 1, 2, 2, 2, 2]
  %b: f32[1,2,2,2] = add(%a, %b/expanded)
  %b/nchw: f32[1,2,2,2] = transpose(%b) {perm=[0,3,1,2], device=host}
  output "b" = %b/nchw
}
