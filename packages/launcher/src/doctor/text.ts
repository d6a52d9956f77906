import type { Finding } from './causes.ts';
import { describeCores } from './cores.ts';
import type { Examination } from './examination.ts';
import { describeHost } from './host.ts';
import { describeHugePages } from './huge-pages.ts';
import { describeInstructionSet } from './instruction-set.ts';
import { describeLimits } from './limits.ts';
import type { SingleCopy } from './single-copy.ts';

/** For people: the verdict first, each problem with its cure, then what was found. */
export function textOf(found: Examination): string {
  const { software } = found;
  const rows = [
    ['cores', describeCores(found.cores)],
    ['huge pages', describeHugePages(found.hugePages)],
    ['instructions', describeInstructionSet(found.instructionSet)],
    ...describeLimits(found.limits),
    ['versions', `onecopy ${software.onecopy ?? 'unknown'}, Node ${software.node}`],
    ['system', `Linux ${software.kernel ?? 'unknown'}, ${software.libc ?? 'unknown libc'}`],
    ['runs under', describeHost(found.host)],
  ];
  const width = Math.max(...rows.map(([name = '']) => name.length)) + 2;
  return [
    verdictOf(found.singleCopy),
    ...found.singleCopy.causes.flatMap(linesOf),
    ...found.singleCopy.notes.map((note) => `  ${note}`),
    '',
    ...rows.map(([name = '', text]) => `${name.padEnd(width)}${text}`),
    ...(found.advice.length > 0 ? ['', 'Could be better:'] : []),
    ...found.advice.flatMap(linesOf),
    '',
  ].join('\n');
}

function linesOf({ problem, cure }: Finding): string[] {
  return [`  ${problem}`, `    -> ${cure}`];
}

function verdictOf({ verdict, cmaBytes, stagedBytes }: SingleCopy): string {
  const share = `${toMebibytes(cmaBytes)} of ${toMebibytes(cmaBytes + stagedBytes)} MiB`;
  switch (verdict) {
    case 'works':
      return `Single copy works: two ranks pulled ${share} straight out of each other's memory.`;
    case 'refused':
      return `Single copy is refused: two ranks pulled ${share}. Jobs run, with large messages in pieces through the channel, slower.`;
    case 'failed':
      return 'Jobs do not run here.';
  }
}

function toMebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
