/**
 * Value names. Inputs have those of the user's model, whatever characters are in them; others are made legal, so that the text form can write them without
 * quotes.
 */

const LEGAL = /^[A-Za-z_][A-Za-z0-9_.\-/]*$/;

export function isLegalName(name: string): boolean {
  return LEGAL.test(name);
}

/** Characters that a name has at most, as programs keep them. */
export const MAX_NAME = 1024;

/** What keeps a text from being a name, a clause; undefined where it is one. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'a name is not empty';
  return name.length > MAX_NAME ? `a name has at most ${MAX_NAME} characters, not ${name.length}` : undefined;
}

/** Characters that change how the text around them is shown, or end a line. */
const CONTROLS = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A name in the text form: in quotes, as in JSON and with invisible characters escaped, unless it is legal. */
export function printName(name: string, isLegal: (name: string) => boolean = isLegalName): string {
  if (isLegal(name)) return name;
  return JSON.stringify(name).replace(CONTROLS, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Characters of a model's name that values keep, so that there is room for what passes append. */
export const MAX_MODEL_NAME = MAX_NAME / 2;

/** A legal name that resembles `hint`: slashes in front are dropped, other illegal characters become underscores; what is too long is cut. */
export function legalName(hint: string): string {
  const name = hint
    .replace(/^\/+/, '')
    .slice(0, MAX_MODEL_NAME - 1)
    .replace(/[^A-Za-z0-9_.\-/]/g, '_');
  return isLegalName(name) ? name : `_${name}`;
}

/** `name`, or the first of `name.1`, `name.2`, … that is not taken. */
export function uniqueName(name: string, taken: (name: string) => boolean): string {
  if (!taken(name)) return name;
  for (let n = 1; ; n++) if (!taken(`${name}.${n}`)) return `${name}.${n}`;
}
