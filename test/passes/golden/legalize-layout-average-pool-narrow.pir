// RUN: opt -p "legalize-layout"
// Means of halves over windows of different numbers of taps are corrected in f32.
graph @g stage(optimized) {
  %x: f16[1,1,4,4] = input
  %y: f16[1,1,2,2] = average-pool(%x) {kernel=[3,3], strides=[2,2], pads=[1,1,0,0]}
  output "y" = %y
}
// ----
graph @g stage(legal) {
  %x: f16[1,1,4,4] = input
  %x/nhwc: f16[1,4,4,1] = transpose(%x) {perm=[0,2,3,1], device=host}
  %y/wide: f32[1,4,4,1] = cast(%x/nhwc) {to=f32, device=host}
  %y/whole: f32[1,2,2,1] = average-pool(%y/wide) {kernel=[3,3], strides=[2,2], pads=[1,1,0,0], layout=nhwc, count_include_pad=true}
  %y/taps/nhwc: f32[2,2,1] = constant [2.25, 1.5, 1.5, 1]
  %y/mean: f32[1,2,2,1] = mul(%y/whole, %y/taps/nhwc)
  %y: f16[1,2,2,1] = cast(%y/mean) {to=f16, device=host}
  %y/nchw: f16[1,1,2,2] = transpose(%y) {perm=[0,3,1,2], device=host}
  output "y" = %y/nchw
}
