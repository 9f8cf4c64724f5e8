/** The section of a Markdown text under a heading, up to the next heading of the same or a higher level; undefined when there is none. */
export function markdownSection(text: string, heading: string): string | undefined {
  const lines = text.split('\n');
  const level = (line: string): number | undefined => /^(#+) /.exec(line)?.[1]?.length;
  const start = lines.findIndex((line) => level(line) !== undefined && line.replace(/^#+ /, '').toLowerCase() === heading.toLowerCase());
  if (start < 0) return undefined;
  const own = level(lines[start] ?? '') ?? 0;
  const length = lines.slice(start + 1).findIndex((line) => (level(line) ?? Infinity) <= own);
  const section = length < 0 ? lines.slice(start) : lines.slice(start, start + 1 + length);
  return `${section.join('\n').trimEnd()}\n`;
}
