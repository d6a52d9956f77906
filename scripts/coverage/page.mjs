// docs/coverage.md, made of the ledger.

/** @typedef {import('./table.mjs').Chapter} Chapter */
/** @typedef {import('./table.mjs').Row} Row */

const INTRODUCTION = `<!-- Written by scripts/coverage-docs.mjs from scripts/coverage/table.txt. -->

# What of MPI there is

Every procedure of MPI-4.1, by chapter: what it is in onecopy with a test that uses it, or why there is none. A test checks
that the symbols are exported, that the tests use them, and that no procedure is missing
([scripts/coverage](../scripts/coverage)).

- **in JavaScript**: the language or Node has it, or there is nothing left to do.
- **not yet**: planned under this name.
- **later**: planned.
- **not offered**: not what onecopy is for.

Left out are what only Fortran needs (conversions such as \`MPI_Comm_c2f\`, \`MPI_Sizeof\`, \`MPI_F_sync_reg\`), and the variants
for large counts that end in \`_c\`: all counts here are JavaScript numbers, and the ordinary calls send
[messages beyond 2 GiB](../test/large.test.ts).
`;

/** @type {readonly Row['kind'][]} */
const KINDS = ['offered', 'in JavaScript', 'not yet', 'later', 'not offered'];

/**
 * @param {readonly Chapter[]} chapters
 * @returns {string}
 */
export function coveragePage(chapters) {
  return [INTRODUCTION, summary(chapters), ...chapters.map(chapterText)].join('\n');
}

/** @param {readonly Chapter[]} chapters */
function summary(chapters) {
  const all = { title: 'all', rows: chapters.flatMap(({ rows }) => rows) };
  const counts = [...chapters, all].map((chapter) => [
    chapter.title,
    ...KINDS.map((kind) => {
      const rows = chapter.rows.filter((row) => row.kind === kind);
      return String(rows.reduce((sum, row) => sum + row.procedures.length, 0));
    }),
  ]);
  return `${markdownTable([['chapter', ...KINDS], ...counts])}\n`;
}

/** @param {Chapter} chapter */
function chapterText({ title, rows }) {
  const cells = rows.flatMap((row) =>
    row.procedures.map((name) => [`\`${name}\``, ours(row), row.test && link(row.test)]),
  );
  return `## ${title}\n\n${markdownTable([['MPI', 'onecopy', 'test'], ...cells])}\n`;
}

/** @param {Row} row */
function ours({ kind, symbols, text }) {
  const code = symbols.map((symbol) => `\`${symbol}\``).join(', ');
  switch (kind) {
    case 'offered':
      return text === '' ? code : `${code}: ${text}`;
    case 'not yet':
      return `**not yet**: ${code}`;
    default:
      return `**${kind}**: ${text}`;
  }
}

/** @param {string} file */
function link(file) {
  return `[${file.replace(/^.*test\/(programs\/)?/, '')}](../${file})`;
}

/**
 * Aligned, as `npm run format` would leave it.
 *
 * @param {readonly (readonly string[])[]} rows the first is the header
 */
function markdownTable(rows) {
  const [header = [], ...body] = rows;
  const widths = header.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join(
    '\n',
  );
}
