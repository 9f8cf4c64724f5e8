// RUN: opt -p "legalize-layout,to-fixed-point{fraction=4}"
// Transposes of inputs come before their conversion, those of outputs after.
graph @test stage(imported) {
  %x: f32[1,2,3,3] = input
  %p: f32[1,2,2,2] = max-pool(%x) {kernel=[2,2]} from ["pool"]
  %y: f32[1,2,2,2] = relu(%p) from ["relu"]
  output "y" = %y
}
// ----
graph @test stage(legal) {
  %x: f32[1,2,3,3] = input
  %x/nhwc: f32[1,3,3,2] = transpose(%x) {perm=[0,2,3,1], device=host}
  %x/nhwc/fixed: fx16.4[1,3,3,2] = quantize(%x/nhwc) {to=fx16.4, device=host}
  %p: fx16.4[1,2,2,2] = max-pool(%x/nhwc/fixed) {kernel=[2,2], layout=nhwc} from ["pool"]
  %y: fx16.4[1,2,2,2] = relu(%p) from ["relu"]
  %y/float: f32[1,2,2,2] = dequantize(%y) {device=host}
  %y/nchw: f32[1,2,2,2] = transpose(%y/float) {perm=[0,3,1,2], device=host} from ["relu"]
  output "y" = %y/nchw
}
