import type { LoopPlan } from '../loops.ts';
import { formatSize } from '../sizes.ts';
import { ProgramFailed } from './children.ts';
import type { Competitor, Configuration, Figures } from './competitor.ts';
import { measureOurs, type OursPlan } from './ours.ts';

export interface TurnsPlan {
  readonly ours: OursPlan;
  readonly pairs: number;
  readonly timeoutMs: number;
  loops(configuration: Configuration): LoopPlan;
}

/** Of one configuration, round by round. */
export interface Rounds {
  readonly ours: readonly Figures[];
  /** Those that have come through every round. */
  readonly peers: ReadonlyMap<string, readonly Figures[]>;
  /** Why each of the others has not. */
  readonly failures: ReadonlyMap<string, string>;
}

/**
 * A B C A B C …, each started anew: on a machine whose speed drifts only what was measured within moments of each
 * other can be compared. Who fails or stalls once is out, for the others would wait for it in every round.
 */
export async function takeTurns(
  plan: TurnsPlan,
  configuration: Configuration,
  peers: readonly Competitor[],
  progress: (text: string) => void,
): Promise<Rounds> {
  const { benchmark, ranks, bytes } = configuration;
  const loops = plan.loops(configuration);
  const ours: Figures[] = [];
  const figures = new Map<string, Figures[]>();
  const failures = new Map<string, string>();
  const takingPart = peers.filter((peer) => peer.takesPartIn(configuration));
  for (let round = 1; round <= plan.pairs; round += 1) {
    const show = (name: string) =>
      progress(
        `${benchmark} ${formatSize(bytes)}, ${ranks} ranks, round ${round} of ${plan.pairs}: ${name}`,
      );
    show('onecopy');
    const own = await measureOurs(plan.ours, configuration, loops, plan.timeoutMs);
    ours.push(own.figures);
    for (const peer of takingPart) {
      if (failures.has(peer.name)) continue;
      show(peer.name);
      try {
        const outcome = await peer.measure(configuration, { loops, iterations: own.iterations });
        figures.set(peer.name, [...(figures.get(peer.name) ?? []), outcome.figures]);
      } catch (error) {
        if (!(error instanceof ProgramFailed)) throw error;
        failures.set(peer.name, error.message);
        figures.delete(peer.name);
      }
    }
  }
  return { ours, peers: figures, failures };
}
