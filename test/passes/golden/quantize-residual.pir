// RUN: opt -p "quantize"
// A sum has a type of its own; weights that two products share are converted once.
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
  %x/i8: i8<0.013694774,12>[1,4] = quantize(%x) {to=i8<0.013694774,12>, device=host}
  %w: i8<axis=1:0.003937008 0.003937008 0.003937008 0.003937008>[4,4] = constant [127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127]
  %a: i8<0.007442094,-78>[1,4] = gemm(%x/i8, %w) {result=i8<0.007442094,-78>} from ["a"]
  %b: i8<0.011966496,-128>[1,4] = gemm(%a, %w) {activation=clip, activation_min=0, activation_max=6, result=i8<0.011966496,-128>} from ["b"]
  %s: i8<0.019394001,-109>[1,4] = add(%a, %b) {activation=relu, result=i8<0.019394001,-109>} from ["sum"]
  %a/i8: i8<0.019394001,-109>[1,4] = requantize(%a) {to=i8<0.019394001,-109>}
  %j: i8<0.019394001,-109>[1,8] = concat(%a/i8, %s) {axis=-1} from ["join"]
  %v: i8<axis=1:0.001968504 0.001968504>[8,2] = constant [-127, -127, -127, -127, -127, -127, -127, -127, -127, -127, -127, -127, -127, -127, -127, -127]
  %y: f32[1,2] = gemm(%j, %v) {result=f32} from ["fc"]
  output "y" = %y
}
