/** Plain-text tables for a terminal or a file. */
import { oneLine } from './format.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

const ZERO_WIDTH = /[\p{M}\p{Cf}]/u;
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** Columns of a terminal that a text takes. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += ZERO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

/** Rows under their titles, two blanks between columns, no blanks at line ends. Ends with a line end. Cells are kept on one line. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map((_, i) => oneLine(row[i] ?? '')))];
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => displayWidth(row[i] ?? ''))));
  const hasTitles = columns.some(({ title }) => title !== '');
  return (hasTitles ? cells : cells.slice(1)).map((row) => `${renderRow(row, columns, widths)}\n`).join('');
}

function renderRow(row: readonly string[], columns: readonly Column[], widths: readonly number[]): string {
  const padded = columns.map(({ align }, i) => {
    const cell = row[i] ?? '';
    const padding = ' '.repeat((widths[i] ?? 0) - displayWidth(cell));
    return align === 'right' ? padding + cell : cell + padding;
  });
  return padded.join('  ').trimEnd();
}
