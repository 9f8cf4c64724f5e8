/** Measured numbers of any magnitude. */

/** Three significant digits, with an exponent where that is shorter. */
export function shortNumber(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  return magnitude >= 1e-3 && magnitude < 1e5 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}

/** An SQNR without its unit: `exact` where there is no error, `lost` where there is nothing else. */
export function decibels(value: number): string {
  if (value === Infinity) return 'exact';
  return value === -Infinity ? 'lost' : value.toFixed(1);
}

/** An SQNR with its unit. */
export function decibelText(value: number): string {
  return Number.isFinite(value) ? `${decibels(value)} dB` : decibels(value);
}
