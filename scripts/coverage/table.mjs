// The ledger in table.txt: what of MPI there is, procedure by procedure. How its lines are written:
//
//   # 3 Point-to-point communication                      a chapter
//   MPI_Send | Communicator.send | test/x.test.ts         our symbols (one or more), and a test that uses them
//   MPI_Wait | Request.wait | test/x.test.ts | remark
//   MPI_Probe | not yet | Communicator.probe              planned under this name
//   MPI_Info_set | later | info                           a topic of `LATER`
//   MPI_File_open | not offered | MPI-IO                  a topic of `NOT_OFFERED`
//   MPI_Type_commit | in JavaScript | why there is nothing to call, or what does it

/**
 * @typedef {object} Row
 * @property {number} line in table.txt, from 1
 * @property {readonly string[]} procedures
 * @property {'offered' | 'not yet' | 'later' | 'not offered' | 'in JavaScript'} kind
 * @property {readonly string[]} symbols what is exported, or to be
 * @property {string} test where it is offered
 * @property {string} text the remark, topic or reason
 */

/** @typedef {{ readonly title: string, readonly rows: Row[] }} Chapter */

/** What is to come. */
export const LATER = [
  'buffered and ready sends',
  'error handlers',
  'graphs that every rank knows (createGraph)',
  'info',
  'intercommunicators',
  'one-sided communication',
  'partitioned communication',
  'remaining collectives',
  'sessions',
];

/** What onecopy is not for. */
export const NOT_OFFERED = ['dynamic processes', 'MPI-IO', 'tools and profiling'];

/**
 * @param {string} text of table.txt
 * @returns {Chapter[]}
 */
export function parseTable(text) {
  /** @type {Chapter[]} */
  const chapters = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.startsWith('# ')) chapters.push({ title: line.slice(2), rows: [] });
    else if (line.trim() !== '') chapters.at(-1)?.rows.push(parseRow(line, index + 1));
  }
  return chapters;
}

/**
 * @param {string} text
 * @param {number} line
 * @returns {Row}
 */
function parseRow(text, line) {
  const [names = '', what = '', second = '', third = ''] = text.split(' | ').map((c) => c.trim());
  const row = { line, procedures: names.split(' '), test: '' };
  switch (what) {
    case 'not yet':
      return { ...row, kind: what, symbols: second.split(' '), text: third };
    case 'later':
    case 'not offered':
    case 'in JavaScript':
      return { ...row, kind: what, symbols: [], text: second };
    default:
      return { ...row, kind: 'offered', symbols: what.split(' '), test: second, text: third };
  }
}
