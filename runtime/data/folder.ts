/** Image files in a folder: which there are, and which class each is of. */
import { CsvError, parse } from 'csv-parse/sync';
import type { ImageSource } from './dataset.ts';
import { checkedIndex } from './dataset.ts';
import { DataError } from './errors.ts';
import type { ImageLibrary, NamedBytes } from './image.ts';

/** An image file and its class. */
export interface LabelledFile {
  /** Path from the data set's folder. */
  readonly file: string;
  readonly label: number;
}

const IMAGE = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;

/** Whether a file's name is that of an image. */
export function isImageName(name: string): boolean {
  return IMAGE.test(name);
}

const FILE_COLUMNS = ['file', 'filename', 'image', 'path'];
const LABEL_COLUMNS = ['class', 'label', 'index'];
const LARGEST_CLASS = 2 ** 24;

/**
 * The files that a table of labels lists, in its order: comma-separated values with a head that names a column `file` and a column `class`.
 * Others are not looked at. Throws a `DataError` that names the line.
 */
export function parseLabels({ place, bytes }: NamedBytes): readonly LabelledFile[] {
  const [head = [], ...lines] = readTable(place, bytes);
  const column = (names: readonly string[]): number => head.findIndex((title) => names.includes(title.trim().toLowerCase()));
  const [fileAt, labelAt] = [column(FILE_COLUMNS), column(LABEL_COLUMNS)];
  if (fileAt < 0 || labelAt < 0)
    throw new DataError(
      'data/format',
      place,
      `has no column ${fileAt < 0 ? 'of files' : 'of classes'} in its head '${head.join(',')}'`,
      `the first line is 'file,class'`,
    );
  if (lines.length === 0) throw new DataError('data/format', place, 'lists no files');
  const seen = new Set<string>();
  return lines.map((cells, i) => {
    const [file = '', text = ''] = [cells[fileAt]?.trim(), cells[labelAt]?.trim()];
    const line = `line ${i + 2}`;
    if (file === '' || file.startsWith('/') || file.split(/[\\/]/).includes('..'))
      throw new DataError('data/format', place, `${line} names no file in its folder: '${file}'`);
    if (text === '') throw new DataError('data/missing', place, `${line} has no class for ${file}`);
    if (!/^\d+$/.test(text) || Number(text) > LARGEST_CLASS)
      throw new DataError(
        'data/format',
        place,
        `${line} gives ${file} the class '${text}', which is no whole number`,
        'number the classes from 0',
      );
    if (seen.has(file)) throw new DataError('data/format', place, `${line} lists ${file} a second time`);
    seen.add(file);
    return { file, label: Number(text) };
  });
}

function readTable(place: string, bytes: Uint8Array): readonly (readonly string[])[] {
  try {
    return parse(new TextDecoder().decode(bytes), { bom: true, skip_empty_lines: true, max_record_size: 2 ** 20 });
  } catch (error) {
    if (error instanceof CsvError) throw new DataError('data/format', place, `is no table of comma-separated values: ${error.message}`);
    throw error;
  }
}

/** Refuses images without a line in the table, and lines without an image. `names` are the image files in the folder. */
export function checkLabelled(listed: readonly LabelledFile[], names: readonly string[], folder: string, table: string): void {
  const files = new Set(listed.map(({ file }) => file));
  const unlabelled = names.find((name) => !files.has(name));
  if (unlabelled !== undefined)
    throw new DataError(
      'data/missing',
      `${folder}/${unlabelled}`,
      `has no label in ${table}`,
      'add a line for it, or take it out of the folder',
    );
}

/**
 * The files of a folder with one folder for each class: classes are the folders' names where all are whole numbers, else their places in
 * alphabetical order. `children` gives the names in a class's folder.
 */
export function classFolders(folders: readonly string[], children: (folder: string) => readonly string[]): readonly LabelledFile[] {
  const numbered = folders.every((name) => /^\d{1,7}$/.test(name));
  return [...folders].sort().flatMap((folder, place) =>
    children(folder)
      .filter(isImageName)
      .map((name) => ({ file: `${folder}/${name}`, label: numbered ? Number(folder) : place })),
  );
}

/** Images in files. `readFile` gets the path of each from the folder. */
export function fileImages(
  name: string,
  files: readonly LabelledFile[],
  readFile: (file: string) => NamedBytes,
  placeOf: (file: string) => string,
  library: ImageLibrary,
): ImageSource {
  const at = (index: number) => files[checkedIndex(index, files.length)] as LabelledFile;
  return {
    name,
    samples: files.length,
    async read(index) {
      const file = readFile(at(index).file);
      return { stored: file.bytes, image: await library.decode(file) };
    },
    label: (index) => at(index).label,
    place: (index) => placeOf(at(index).file),
  };
}
