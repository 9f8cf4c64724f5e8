graph @lenet stage(imported) {
  %image: f32[1,1,12,12] = input
  %conv1.weight: f32[4,1,5,5] = constant dense#063745f2f3aea6c0575caa415df3fbaea2982dbfd6f1de9c378d1d6db606c44e
  %conv1.bias: f32[4] = constant [0.1, 0x7fc00001, nan, -0]
  %y: f32[1,4,12,12] = conv(%image, %conv1.weight, %conv1.bias) {pads=[2,2,2,2], activation=clip, activation_max=6} from ["/conv1/Conv", "/act/\"Clip\""]
  %pool: f32[1,4,6,6] = max-pool(%y) {kernel=[2,2], strides=[2,2], ceil_mode=true}
  %flatten: f32[1,144] = flatten(%pool)
  %fc.weight: f32[10,144] = constant dense#a462a823c847638f7889ca58f14b9b68f2615e8ab99dda8c493d2ce80cf32a6e
  %logits: f32[1,10] = gemm(%flatten, %fc.weight) {alpha=0.1, trans_b=true} from ["/fc/Gemm"]
  %quantize: fx16.8[1,10] = quantize(%logits) {to=fx16.8}
  %step: fx16.8[] = constant [-32768]
  %add: fx16.8[1,10] = add(%quantize, %step)
  %longs: i64[2] = constant [-9223372036854775808, 9223372036854775807]
  %halves: f16[2] = constant [0x3c00, 0xfe01]
  %none: f32[0,3] = constant []
  output "logits" = %logits
  output "sum: \"fixed\"\n" = %add
}
