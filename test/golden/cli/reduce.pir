// RUN: opt -p "to-fixed-point{fraction=4}" --check "maxerror < 0.5"
// REDUCED: from lenet-300-100, 6 ops, after 104 evaluations
// PIPELINE: eliminate-dead,fold-constants,eliminate-common,simplify,fold-batch-norm,eliminate-common,fuse-activation,legalize-layout,to-fixed-point{fraction=4}
// FAILED: maxerror 0.597
// SAMPLE 1: %_2/Relu_output_0 = [0, 1, 0, 2, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 2, 0, 0, 0, 0, 0, 0…
graph @torch_jit stage(legal) {
  %_2/Relu_output_0: f32[1,300] = input
  %_3.bias: f32[1] = constant [0]
  %_3/Gemm_output_0/weights: f32[300,1] = constant [-0.06, -0.08, -0.004, -0.03, -0.1, 0.0007, 0.04, -0.09, -0.3, -0.07, 0.03, -0.004, -0.005, 0.007, 0.01, -0.03, 0.09, 0.09, -0.01, -0.04, -0.3, -0.2,…
  %_4/Relu_output_0: f32[1,1] = gemm(%_2/Relu_output_0, %_3/Gemm_output_0/weights, %_3.bias) {activation=relu} from ["/3/Gemm", "/4/Relu"]
  output "_4/Relu_output_0" = %_4/Relu_output_0
}
