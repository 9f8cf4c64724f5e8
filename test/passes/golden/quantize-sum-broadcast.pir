// RUN: opt -p "quantize"
// Quantized sums do not broadcast.
graph @test stage(legal) {
  %x: f32[2,4] = input
  %w: f32[4,4] = constant [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
  %a: f32[2,4] = gemm(%x, %w) from ["a"]
  %c: f32[4] = constant [1, 2, 3, 4]
  %y: f32[2,4] = add(%a, %c) from ["sum"]
  output "y" = %y
}
// ----
graph @test stage(legal) {
  %x: f32[2,4] = input
  %x/i8: i8<0.013870217,10>[2,4] = quantize(%x) {to=i8<0.013870217,10>, device=host}
  %w: i8<axis=1:0.003937008 0.003937008 0.003937008 0.003937008>[4,4] = constant [127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127]
  %a: f32[2,4] = gemm(%x/i8, %w) {result=f32} from ["a"]
  %c: f32[4] = constant [1, 2, 3, 4]
  %y: f32[2,4] = add(%a, %c) from ["sum"]
  output "y" = %y
}
