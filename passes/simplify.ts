import { pass } from './pass.ts';
import { rewrite } from './rewrite.ts';
import { ACTIVATION_RULES } from './rules/activations.ts';
import { ARITHMETIC_RULES } from './rules/arithmetic.ts';
import { PRODUCT_RULES } from './rules/products.ts';
import { VIEW_RULES } from './rules/views.ts';

const RULES = [...VIEW_RULES, ...ARITHMETIC_RULES, ...ACTIVATION_RULES, ...PRODUCT_RULES];

export const simplify = pass({
  name: 'simplify',
  doc: 'Removes operations without effect, merges chains of them, and writes products with plain weights and a bias.',
  meaning: 'exact',
  requires: [],
  establishes: [],
  params: {},
  rules: RULES,
  idempotent: true,
  run: (graph, _params, context) => rewrite(graph, RULES, context),
});
