// RUN: opt -p "quantize{ranges=minmax}"
// A value that only an activation reads has the range that the activation lets through.
graph @test stage(legal) {
  %x: f32[1,4] = input
  %w: f32[4,4] = constant [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
  %a: f32[1,4] = gemm(%x, %w) from ["a"]
  %r: f32[1,4] = clip(%a) {min=0, max=0.5} from ["clip"]
  %y: f32[1,4] = gemm(%r, %w) from ["y"]
  output "y" = %y
}
// ----
graph @test stage(legal) {
  %x: f32[1,4] = input
  %x/i8: i8<0.013694774,12>[1,4] = quantize(%x) {to=i8<0.013694774,12>, device=host}
  %w: i8<axis=1:0.003937008 0.003937008 0.003937008 0.003937008>[4,4] = constant [127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127]
  %a: i8<0.0019607844,-128>[1,4] = gemm(%x/i8, %w) {result=i8<0.0019607844,-128>} from ["a"]
  %r: i8<0.0019607844,-128>[1,4] = clip(%a) {min=0, max=0.5} from ["clip"]
  %y: f32[1,4] = gemm(%r, %w) {result=f32} from ["y"]
  output "y" = %y
}
