// RUN: opt -p "to-fixed-point"
// Operations without a meaning in fixed point are listed, but not those that merely depend on them.
graph @test stage(imported) {
  %x: f32[1,1,2,2] = input
  %n: i32[2] = input
  %w: f32[1,1,1,1] = constant [3]
  %v: f32[4,4] = constant [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
  %c: f32[1,1,2,2] = conv(%x, %w)
  %r: f32[1,1,2,2] = relu(%c)
  %f: f32[1,4] = flatten(%x)
  %y: f32[1,4] = gemm(%f, %v) {alpha=2}
  output "r" = %r
  output "y" = %y
}
// ----
// ERROR: unsupported to-fixed-point/unsupported at %n: inputs of type i32 have no fixed-point form
// ERROR: unsupported to-fixed-point/unsupported at %c: conv has no fixed-point form: a convolution of fx16.10 has the layout nhwc
// ERROR: unsupported to-fixed-point/unsupported at %y: gemm has no fixed-point form: a product of fx16.10 needs alpha = beta = 1 (run legalize-layout before, which folds alpha and beta into constants)
