// RUN: opt -p "legalize-layout"
// What is an output and yet an input, a constant or a view of one is copied; what an op computes is not.
graph @test stage(imported) {
  %x: f32[2,3] = input
  %c: f32[2] = constant [1, 2]
  %f: f32[6,1] = flatten(%x) {axis=2}
  %t: f32[3,2] = transpose(%x) {perm=[1,0]}
  %y: f32[2,3] = relu(%x)
  %v: f32[6] = reshape(%y) {shape=[6]}
  output "x" = %x
  output "c" = %c
  output "f" = %f
  output "t" = %t
  output "v" = %v
  output "again" = %x
}
// ----
graph @test stage(legal) {
  %x: f32[2,3] = input
  %x/copy: f32[2,3] = identity(%x)
  %c: f32[2] = constant [1, 2]
  %c/copy: f32[2] = identity(%c)
  %f: f32[6,1] = reshape(%x) {shape=[6,1]}
  %f/copy: f32[6,1] = identity(%f)
  %t: f32[3,2] = transpose(%x/copy) {perm=[1,0], device=host}
  %y: f32[2,3] = relu(%x)
  %v: f32[6] = reshape(%y) {shape=[6]}
  output "x" = %x/copy
  output "c" = %c/copy
  output "f" = %f/copy
  output "t" = %t
  output "v" = %v
  output "again" = %x/copy
}
