// RUN: opt -p "fuse-activation"
// relu becomes the activation of the convolution, and keeps its name.
graph @test stage(imported) {
  %x: f32[1,1,2,2] = input
  %w: f32[1,1,1,1] = constant [3]
  %c: f32[1,1,2,2] = conv(%x, %w) from ["conv"]
  %y: f32[1,1,2,2] = relu(%c) from ["relu"]
  output "y" = %y
}
// ----
graph @test stage(imported) {
  %x: f32[1,1,2,2] = input
  %w: f32[1,1,1,1] = constant [3]
  %y: f32[1,1,2,2] = conv(%x, %w) {activation=relu} from ["conv", "relu"]
  output "y" = %y
}
