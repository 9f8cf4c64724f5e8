// RUN: opt -p "simplify"
// Of two transposes with a reshape between them that only splits or only merges dimensions, one is left: channels shuffled in NHWC.
graph @test stage(imported) {
  %x: f32[2,3,3,6] = input
  %a: f32[2,3,3,6] = relu(%x)
  %t: f32[2,6,3,3] = transpose(%a) {perm=[0,3,1,2]}
  %r: f32[2,2,3,3,3] = reshape(%t) {shape=[2,2,3,3,3]}
  %s: f32[2,3,2,3,3] = transpose(%r) {perm=[0,2,1,3,4]}
  %m: f32[2,6,3,3] = reshape(%s) {shape=[2,6,3,3]}
  %n: f32[2,3,3,6] = transpose(%m) {perm=[0,2,3,1]}
  %y: f32[2,3,3,6] = relu(%n)
  %f: f32[2,6,9] = reshape(%t) {shape=[2,6,9]}
  %p: f32[2,9,6] = transpose(%f) {perm=[0,2,1]}
  %z: f32[2,9,6] = relu(%p)
  %mixed: f32[4,3,9] = reshape(%t) {shape=[4,3,9]}
  %kept: f32[4,9,3] = transpose(%mixed) {perm=[0,2,1]}
  output "y" = %y
  output "z" = %z
  output "kept" = %kept
}
// ----
graph @test stage(imported) {
  %x: f32[2,3,3,6] = input
  %a: f32[2,3,3,6] = relu(%x)
  %t: f32[2,6,3,3] = transpose(%a) {perm=[0,3,1,2]}
  %s/split: f32[2,3,3,2,3] = reshape(%a) {shape=[2,3,3,2,3]}
  %n/moved: f32[2,3,3,3,2] = transpose(%s/split) {perm=[0,1,2,4,3]}
  %n: f32[2,3,3,6] = reshape(%n/moved) {shape=[2,3,3,6]}
  %y: f32[2,3,3,6] = relu(%n)
  %p: f32[2,9,6] = reshape(%a) {shape=[2,9,6]}
  %z: f32[2,9,6] = relu(%p)
  %mixed: f32[4,3,9] = reshape(%t) {shape=[4,3,9]}
  %kept: f32[4,9,3] = transpose(%mixed) {perm=[0,2,1]}
  output "y" = %y
  output "z" = %z
  output "kept" = %kept
}
