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
  const lines = [...chapters, all].map((chapter) => {
    const counts = KINDS.map((kind) => {
      const rows = chapter.rows.filter((row) => row.kind === kind);
      return rows.reduce((sum, row) => sum + row.procedures.length, 0) || '';
    });
    return `| ${[chapter.title, ...counts].join(' | ')} |`;
  });
  const header = `| chapter | ${KINDS.join(' | ')} |`;
  return `${[header, `| --- |${' ---: |'.repeat(KINDS.length)}`, ...lines].join('\n')}\n`;
}

/** @param {Chapter} chapter */
function chapterText({ title, rows }) {
  const lines = rows.map(
    (row) => `| ${names(row)} | ${ours(row)} | ${row.test && link(row.test)} |`,
  );
  return `## ${title}\n\n| MPI | onecopy | test |\n| --- | --- | --- |\n${lines.join('\n')}\n`;
}

/** @param {Row} row */
function names({ procedures }) {
  return procedures.map((name) => `\`${name}\``).join(' ');
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
  return `[${file.replace(/^.*test\//, '')}](../${file})`;
}
