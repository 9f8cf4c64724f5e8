// RUN: opt -p "simplify"
// Identities go, at outputs too: the output keeps its name and reads the value itself.
graph @test stage(imported) {
  %x: f32[2] = input
  %i: f32[2] = identity(%x) from ["i"]
  %r: f32[2] = relu(%i) from ["r"]
  %j: f32[2] = identity(%r) from ["j"]
  output "y" = %j
}
// ----
graph @test stage(imported) {
  %x: f32[2] = input
  %r: f32[2] = relu(%x) from ["r", "j"]
  output "y" = %r
}
