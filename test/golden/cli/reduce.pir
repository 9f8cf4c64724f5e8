// RUN: opt -p "to-fixed-point{fraction=4}" --check "maxerror < 0.5"
// REDUCED: from lenet-300-100, 6 ops, after 111 evaluations
// PIPELINE: eliminate-dead,fold-constants,eliminate-common,simplify,fold-batch-norm,eliminate-common,fuse-activation,legalize-layout,to-fixed-point{fraction=4}
// FAILED: maxerror 0.5227
// SAMPLE 1: %_0/Flatten_output_0 = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 0, 0…
graph @torch_jit stage(legal) {
  %_0/Flatten_output_0: f32[1,392] = input
  %_1.bias: f32[1] = constant [0]
  %_1/Gemm_output_0/weights: f32[392,1] = constant [0.036, 0.072, 0.077, 0.0047, 0.025, -0.025, -0.02, 0.12, 0.1, 0.074, 0.087, 0.046, 0.072, -0.053, -0.078, 0.0015, 0.11, 0.073, 0.11, 0.074, 0.072, -…
  %_2/Relu_output_0: f32[1,1] = gemm(%_0/Flatten_output_0, %_1/Gemm_output_0/weights, %_1.bias) {activation=relu} from ["/1/Gemm", "/2/Relu"]
  output "_2/Relu_output_0" = %_2/Relu_output_0
}
