// RUN: opt -p "legalize-layout"
// Images are joined and padded along the dimensions as they are held.
graph @g stage(imported) {
  %x: f32[1,2,4,4] = input
  %w: f32[2,2,1,1] = constant [1, 2, 3, 4]
  %a: f32[1,2,4,4] = conv(%x, %w) from ["Conv_0"]
  %b: f32[1,2,4,4] = sigmoid(%a) from ["Sigmoid_1"]
  %c: f32[1,4,4,4] = concat(%a, %b) {axis=1} from ["Concat_2"]
  %d: f32[1,4,5,6] = pad(%c) {pads=[0,0,1,0,0,0,0,2]} from ["Pad_3"]
  %y: f32[1,4,5,6] = lrn(%d) {size=3} from ["LRN_4"]
  output "y" = %y
}
// ----
graph @g stage(legal) {
  %x: f32[1,2,4,4] = input
  %x/nhwc: f32[1,4,4,2] = transpose(%x) {perm=[0,2,3,1], device=host}
  %w/hwio: f32[1,1,2,2] = constant [1, 3, 2, 4]
  %a: f32[1,4,4,2] = conv(%x/nhwc, %w/hwio) {layout=nhwc} from ["Conv_0"]
  %b: f32[1,4,4,2] = sigmoid(%a) from ["Sigmoid_1"]
  %c: f32[1,4,4,4] = concat(%a, %b) {axis=3} from ["Concat_2"]
  %d: f32[1,5,6,4] = pad(%c) {pads=[0,1,0,0,0,0,2,0]} from ["Pad_3"]
  %y: f32[1,5,6,4] = lrn(%d) {size=3, layout=nhwc} from ["LRN_4"]
  %y/nchw: f32[1,4,5,6] = transpose(%y) {perm=[0,3,1,2], device=host} from ["LRN_4"]
  output "y" = %y/nchw
}
