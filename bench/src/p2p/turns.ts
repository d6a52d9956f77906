import { toThreeDecimals } from '../record.ts';
import { median } from '../statistics.ts';
import { FIGURES, type FigureName } from './figures.ts';
import type { P2pOptions } from './options.ts';
import type { P2pRecord } from './record.ts';
import type { Side } from './side.ts';
import { OurSides, rivalsOf } from './sides.ts';

/** Ours and the others in turns, A B C A B C: only what was measured within moments of each other is compared. */
export async function measureFigure(
  name: FigureName,
  options: P2pOptions,
  cli: string,
  progress: (text: string) => void,
): Promise<P2pRecord> {
  const figure = FIGURES[name];
  progress(`${name}: starting`);
  const ranks = new OurSides(cli, [...options.launcherArguments, ...figure.launcherArguments]);
  const rivals: Side[] = [];
  try {
    rivals.push(...rivalsOf(figure));
    const sides = [figure.ours, ...figure.others].map((exercise) => ranks.side(exercise));
    const all = [...sides, ...rivals];
    const times = new Map(all.map((side) => [side.name, [] as number[]]));
    const unavailable: Record<string, string> = {};
    for (let pair = 1; pair <= options.pairs; pair += 1) {
      for (const side of all) {
        if (side.name in unavailable) continue;
        progress(`${name}, pair ${pair} of ${options.pairs}: ${side.name}`);
        const answer = await side.measure(options.loops);
        if ('unavailable' in answer) unavailable[side.name] = answer.unavailable;
        else times.get(side.name)!.push(answer.meanUs);
      }
    }
    await ranks.close();
    return summarise(name, times, unavailable, options.pairs);
  } catch (error) {
    // Ctrl-C ends rivals too, which is no failure of theirs.
    throw ranks.interruption ?? error;
  } finally {
    await Promise.allSettled([ranks.close(), ...rivals.map((rival) => rival.close())]);
  }
}

/** The first of the times are ours. */
export function summarise(
  name: FigureName,
  times: ReadonlyMap<string, readonly number[]>,
  unavailable: Readonly<Record<string, string>>,
  pairs: number,
): P2pRecord {
  const { bytes, asRate } = FIGURES[name];
  const [[, ours], ...others] = [...times] as [
    [string, readonly number[]],
    ...[string, readonly number[]][],
  ];
  const measured = others.filter(([, theirs]) => theirs.length > 0);
  const oursUs = ours.length === 0 ? null : toThreeDecimals(median(ours));
  const ratios =
    oursUs === null
      ? []
      : measured.map(
          ([other, theirs]) =>
            [
              other,
              toThreeDecimals(median(ours.map((time, pair) => time / theirs[pair]!))),
            ] as const,
        );
  return {
    benchmark: 'p2p',
    figure: name,
    bytes,
    oursUs,
    rivalsUs: Object.fromEntries(
      measured.map(([other, theirs]) => [other, toThreeDecimals(median(theirs))]),
    ),
    ratios: Object.fromEntries(ratios),
    ratio: ratios.length === 0 ? null : Math.max(...ratios.map(([, ratio]) => ratio)),
    ...(asRate && oursUs !== null && { perSecond: Math.round(1e6 / median(ours)) }),
    pairs,
    ...(Object.keys(unavailable).length > 0 && { unavailable }),
    node: process.version,
  };
}
