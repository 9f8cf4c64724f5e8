// RUN: opt -p "fold-batch-norm"
// Without a product to fold into, or with one that has an activation or other users, it becomes a multiplication and an addition.
graph @test stage(imported) {
  %x: f32[1,2,2,1] = input
  %w: f32[2,2,1,1] = constant [1, 2, 3, 4]
  %scale: f32[2] = constant [2, 1]
  %shift: f32[2] = constant [0.5, -0.5]
  %mean: f32[2] = constant [0.25, 1]
  %variance: f32[2] = constant [1, 4]
  %c: f32[1,2,2,1] = conv(%x, %w) from ["conv"]
  %y: f32[1,2,2,1] = batch-norm(%c, %scale, %shift, %mean, %variance) {epsilon=0} from ["norm"]
  %a: f32[1,2,2,1] = conv(%y, %w) {activation=relu} from ["rectified"]
  %z: f32[1,2,2,1] = batch-norm(%a, %scale, %shift, %mean, %variance) {epsilon=0} from ["norm 2"]
  output "c" = %c
  output "z" = %z
}
// ----
graph @test stage(imported) {
  %x: f32[1,2,2,1] = input
  %w: f32[2,2,1,1] = constant [1, 2, 3, 4]
  %c: f32[1,2,2,1] = conv(%x, %w) from ["conv"]
  %y/scale: f32[2,1,1] = constant [2, 0.5]
  %y/shift: f32[2,1,1] = constant [0, -1]
  %y/scaled: f32[1,2,2,1] = mul(%c, %y/scale) from ["norm"]
  %y: f32[1,2,2,1] = add(%y/scaled, %y/shift) from ["norm"]
  %a: f32[1,2,2,1] = conv(%y, %w) {activation=relu} from ["rectified"]
  %z/scale: f32[2,1,1] = constant [2, 0.5]
  %z/shift: f32[2,1,1] = constant [0, -1]
  %z/scaled: f32[1,2,2,1] = mul(%a, %z/scale) from ["norm 2"]
  %z: f32[1,2,2,1] = add(%z/scaled, %z/shift) from ["norm 2"]
  output "c" = %c
  output "z" = %z
}
