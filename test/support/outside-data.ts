/** Data that are not in the project: beside the checkout, or where a variable of the environment says. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BESIDE = new URL('../../../shared/', import.meta.url);

export interface OutsideData {
  readonly path: string;
  /** Tests that need the data are skipped; a line on standard error has said so. */
  readonly missing: boolean;
}

/** Looks for a folder by its name beside the checkout, unless the variable names another. */
export function outsideData(folder: string, variable: string): OutsideData {
  const path = process.env[variable] ?? fileURLToPath(new URL(folder, BESIDE));
  const missing = !existsSync(path);
  if (missing)
    console.warn(`outside data: there is no ${path}, and the tests that need it are skipped; ${variable} may name another folder`);
  return { path, missing };
}
