// RUN: opt -p "to-dynamic-fixed"
// Sums and concatenations are of one binary point.
graph @test stage(legal) {
  %x: f32[1,4] = input
  %w: f32[4,4] = constant [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
  %a: f32[1,4] = gemm(%x, %w) from ["a"]
  %b: f32[1,4] = gemm(%a, %w) {activation=clip, activation_min=0, activation_max=6} from ["b"]
  %s: f32[1,4] = add(%a, %b) {activation=relu} from ["sum"]
  %j: f32[1,8] = concat(%a, %s) {axis=-1} from ["join"]
  %v: f32[8,2] = constant [-0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25]
  %y: f32[1,2] = gemm(%j, %v) from ["fc"]
  output "y" = %y
}
// ----
graph @test stage(legal) {
  %x: f32[1,4] = input
  %x/fx16-14: fx16.14[1,4] = quantize(%x) {to=fx16.14, device=host}
  %w: fx16.15[4,4] = constant [16384, 16384, 16384, 16384, 16384, 16384, 16384, 16384, 16384, 16384, 16384, 16384, 16384, 16384, 16384, 16384]
  %a: fx16.12[1,4] = gemm(%x/fx16-14, %w) {result=fx16.12} from ["a"]
  %b: fx16.12[1,4] = gemm(%a, %w) {activation=clip, activation_min=0, activation_max=6} from ["b"]
  %s: fx16.12[1,4] = add(%a, %b) {activation=relu} from ["sum"]
  %j: fx16.12[1,8] = concat(%a, %s) {axis=-1} from ["join"]
  %v: fx16.15[8,2] = constant [-8192, -8192, -8192, -8192, -8192, -8192, -8192, -8192, -8192, -8192, -8192, -8192, -8192, -8192, -8192, -8192]
  %y: f32[1,2] = gemm(%j, %v) {result=f32} from ["fc"]
  output "y" = %y
}
