// RUN: opt -p "legalize-layout"
// Windows at the border have fewer taps: the sum of the whole window is corrected by a constant.
graph @g stage(imported) {
  %x: f32[1,2,3,3] = input
  %y: f32[1,2,2,2] = average-pool(%x) {kernel=[2,2], strides=[2,2], pads=[1,1,0,0]} from ["AveragePool_0"]
  output "y" = %y
}
// ----
graph @g stage(legal) {
  %x: f32[1,2,3,3] = input
  %x/nhwc: f32[1,3,3,2] = transpose(%x) {perm=[0,2,3,1], device=host}
  %y/whole: f32[1,2,2,2] = average-pool(%x/nhwc) {kernel=[2,2], strides=[2,2], pads=[1,1,0,0], layout=nhwc, count_include_pad=true} from ["AveragePool_0"]
  %y/expanded: f32[2,2,2] = constant [4, 4, 2, 2, 2, 2, 1, 1]
  %y: f32[1,2,2,2] = mul(%y/whole, %y/expanded) from ["AveragePool_0"]
  %y/nchw: f32[1,2,2,2] = transpose(%y) {perm=[0,3,1,2], device=host} from ["AveragePool_0"]
  output "y" = %y/nchw
}
