// RUN: opt -p "fuse-activation"
// A clip joins an activation that is there already; fixed point is no different.
graph @test stage(imported) {
  %x: fx16.8[1,2] = input
  %w: fx16.8[2,1] = constant [1, 2]
  %p: fx16.8[1,1] = gemm(%x, %w) from ["product"]
  %r: fx16.8[1,1] = relu(%p) from ["relu"]
  %y: fx16.8[1,1] = clip(%r) {min=-1, max=6} from ["clip"]
  output "y" = %y
}
// ----
graph @test stage(imported) {
  %x: fx16.8[1,2] = input
  %w: fx16.8[2,1] = constant [1, 2]
  %y: fx16.8[1,1] = gemm(%x, %w) {activation=clip, activation_min=0, activation_max=6} from ["product", "relu", "clip"]
  output "y" = %y
}
