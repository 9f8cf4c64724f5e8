/** Value names: what the text form can write without quotes. */

const LEGAL = /^[A-Za-z_][A-Za-z0-9_.\-/]*$/;

export function isLegalName(name: string): boolean {
  return LEGAL.test(name);
}

/** A legal name that resembles `hint`: slashes in front are dropped, other illegal characters become underscores. */
export function legalName(hint: string): string {
  const name = hint.replace(/^\/+/, '').replace(/[^A-Za-z0-9_.\-/]/g, '_');
  return isLegalName(name) ? name : `_${name}`;
}

/** `name`, or the first of `name.1`, `name.2`, … that is not taken. */
export function uniqueName(name: string, taken: (name: string) => boolean): string {
  if (!taken(name)) return name;
  for (let n = 1; ; n++) if (!taken(`${name}.${n}`)) return `${name}.${n}`;
}
