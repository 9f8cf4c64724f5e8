// RUN: opt -p "fuse-activation"
// The sum of a residual network ends in its activation; a second clip joins it.
graph @test stage(imported) {
  %x: f32[1,2] = input
  %z: f32[1,2] = input
  %s: f32[1,2] = add(%x, %z) from ["sum"]
  %r: f32[1,2] = relu(%s) from ["relu"]
  %y: f32[1,2] = clip(%r) {min=-1, max=6} from ["clip"]
  output "y" = %y
}
// ----
graph @test stage(imported) {
  %x: f32[1,2] = input
  %z: f32[1,2] = input
  %y: f32[1,2] = add(%x, %z) {activation=clip, activation_min=0, activation_max=6} from ["sum", "relu", "clip"]
  output "y" = %y
}
