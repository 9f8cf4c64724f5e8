// RUN: opt -p "quantize{ranges=minmax}"
// A narrow operand that is read elsewhere keeps its type and is requantized; another is computed in the type of the concatenation.
graph @test stage(legal) {
  %x: f32[1,4] = input
  %w: f32[4,4] = constant [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
  %small: f32[4,4] = constant [0.03125, 0.03125, 0.03125, 0.03125, 0.03125, 0.03125, 0.03125, 0.03125, 0.03125, 0.03125, 0.03125, 0.03125, 0.03125, 0.03125, 0.03125, 0.03125]
  %a: f32[1,4] = gemm(%x, %w) from ["a"]
  %b: f32[1,4] = gemm(%x, %small) from ["b"]
  %j: f32[1,8] = concat(%a, %b) {axis=-1} from ["join"]
  %v: f32[8,2] = constant [-0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25, -0.25]
  %y: f32[1,2] = gemm(%j, %v) from ["y"]
  %u: f32[4,2] = constant [1, 1, 1, 1, 1, 1, 1, 1]
  %z: f32[1,2] = gemm(%b, %u) from ["z"]
  output "y" = %y
  output "z" = %z
}
// ----
graph @test stage(legal) {
  %x: f32[1,4] = input
  %x/i8: i8<0.013694774,12>[1,4] = quantize(%x) {to=i8<0.013694774,12>, device=host}
  %w: i8<axis=1:0.003937008 0.003937008 0.003937008 0.003937008>[4,4] = constant [127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127]
  %a: i8<0.007442094,-78>[1,4] = gemm(%x/i8, %w) {result=i8<0.007442094,-78>} from ["a"]
  %small: i8<axis=1:0.000246063 0.000246063 0.000246063 0.000246063>[4,4] = constant [127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127]
  %b: i8<0.00046513087,-78>[1,4] = gemm(%x/i8, %small) {result=i8<0.00046513087,-78>} from ["b"]
  %b/i8: i8<0.007442094,-78>[1,4] = requantize(%b) {to=i8<0.007442094,-78>}
  %j: i8<0.007442094,-78>[1,8] = concat(%a, %b/i8) {axis=-1} from ["join"]
  %v: i8<axis=1:0.001968504 0.001968504>[8,2] = constant [-127, -127, -127, -127, -127, -127, -127, -127, -127, -127, -127, -127, -127, -127, -127, -127]
  %y: f32[1,2] = gemm(%j, %v) {result=f32} from ["y"]
  %u: i8<axis=1:0.007874016 0.007874016>[4,2] = constant [127, 127, 127, 127, 127, 127, 127, 127]
  %z: f32[1,2] = gemm(%b, %u) {result=f32} from ["z"]
  output "y" = %y
  output "z" = %z
}
