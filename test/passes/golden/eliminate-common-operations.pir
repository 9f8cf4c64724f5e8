// RUN: opt -p "eliminate-common"
// Equal operations on equal operands, in either order where the op is commutative; sub is not. The survivor computes all their sources.
graph @test stage(imported) {
  %x: f32[2] = input
  %z: f32[2] = input
  %a: f32[2] = add(%x, %z) from ["a"]
  %b: f32[2] = add(%z, %x) from ["b"]
  %c: f32[2] = sub(%x, %z) from ["c"]
  %d: f32[2] = sub(%z, %x) from ["d"]
  %e: f32[2] = relu(%a) from ["e"]
  %f: f32[2] = relu(%b) from ["f"]
  %g: f32[2] = mul(%e, %f) from ["g"]
  %h: f32[2] = mul(%c, %d) from ["h"]
  output "g" = %g
  output "h" = %h
  output "f" = %f
}
// ----
graph @test stage(imported) {
  %x: f32[2] = input
  %z: f32[2] = input
  %a: f32[2] = add(%x, %z) from ["a", "b"]
  %c: f32[2] = sub(%x, %z) from ["c"]
  %d: f32[2] = sub(%z, %x) from ["d"]
  %e: f32[2] = relu(%a) from ["e", "f"]
  %g: f32[2] = mul(%e, %e) from ["g"]
  %h: f32[2] = mul(%c, %d) from ["h"]
  output "g" = %g
  output "h" = %h
  output "f" = %e
}
