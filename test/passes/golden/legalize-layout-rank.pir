// RUN: opt -p "legalize-layout"
// An operand that has all elements of the result and not all its dimensions gets them, so that the other is broadcast over leading dimensions.
graph @test stage(imported) {
  %x: f32[1,3,2,2] = input
  %k: f32[1,1,3,1,1] = constant [1, 2, 3]
  %y: f32[1,1,3,2,2] = add(%x, %k)
  output "y" = %y
}
// ----
graph @test stage(legal) {
  %x: f32[1,3,2,2] = input
  %y/a: f32[1,1,3,2,2] = reshape(%x) {shape=[1,1,3,2,2]}
  %y/expanded: f32[3,2,2] = constant [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]
  %y: f32[1,1,3,2,2] = add(%y/a, %y/expanded)
  output "y" = %y
}
