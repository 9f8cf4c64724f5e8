// RUN: opt -p "simplify"
// Subtracting a constant is adding its negative; in fixed point it is not, for the least number has none.
graph @test stage(imported) {
  %x: f32[2] = input
  %q: fx16.8[2] = input
  %c: f32[2] = constant [3, 0]
  %d: fx16.8[2] = constant [1, 2]
  %a: f32[2] = sub(%x, %c)
  %b: fx16.8[2] = sub(%q, %d)
  output "a" = %a
  output "b" = %b
}
// ----
graph @test stage(imported) {
  %x: f32[2] = input
  %q: fx16.8[2] = input
  %d: fx16.8[2] = constant [1, 2]
  %a/negated: f32[2] = constant [-3, -0]
  %a: f32[2] = add(%x, %a/negated)
  %b: fx16.8[2] = sub(%q, %d)
  output "a" = %a
  output "b" = %b
}
