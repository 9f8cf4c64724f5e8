// RUN: opt -p "simplify"
// A constant that is added to a product which nothing else reads becomes its bias.
graph @test stage(imported) {
  %x: f32[2,2] = input
  %w: f32[2,3] = constant [1, 2, 3, 4, 5, 6]
  %v: f32[3,3] = constant [1, 2, 3, 4, 5, 6, 7, 8, 9]
  %c: f32[3] = constant [1, 2, 3]
  %p: f32[2,3] = matmul(%x, %w) from ["product"]
  %a: f32[2,3] = add(%c, %p) from ["bias"]
  %q: f32[2,3] = gemm(%a, %v) from ["shared"]
  %b: f32[2,3] = add(%q, %c)
  output "q" = %q
  output "b" = %b
}
// ----
graph @test stage(imported) {
  %x: f32[2,2] = input
  %w: f32[2,3] = constant [1, 2, 3, 4, 5, 6]
  %v: f32[3,3] = constant [1, 2, 3, 4, 5, 6, 7, 8, 9]
  %c: f32[3] = constant [1, 2, 3]
  %a: f32[2,3] = gemm(%x, %w, %c) from ["product", "bias"]
  %q: f32[2,3] = gemm(%a, %v) from ["shared"]
  %b: f32[2,3] = add(%q, %c)
  output "q" = %q
  output "b" = %b
}
