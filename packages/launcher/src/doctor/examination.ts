import type { Binding } from '@onecopy/native';
import { loadBinding } from '@onecopy/native/load';
import type { Finding } from './causes.ts';
import { type Cores, examineCores } from './cores.ts';
import { examineHost, type Host } from './host.ts';
import { examineHugePages, type HugePages, hugePagesAdvice } from './huge-pages.ts';
import {
  examineInstructionSet,
  type InstructionSet,
  instructionSetAdvice,
} from './instruction-set.ts';
import { examineLimits, type Limits, limitsAdvice } from './limits.ts';
import { parseStatus } from './process-status.ts';
import { judgeSingleCopy, type SingleCopy } from './single-copy.ts';
import { examineSoftware, type Software, softwareAdvice } from './software.ts';
import { thisSystem } from './system.ts';
import { runTrial, type Trial } from './trial.ts';

/** All that the doctor finds; `--json` prints it, with null for what is unknown. */
export interface Examination {
  readonly singleCopy: SingleCopy;
  readonly cores: Cores;
  readonly hugePages: HugePages;
  readonly instructionSet: InstructionSet | undefined;
  readonly limits: Limits;
  readonly software: Software;
  readonly host: Host;
  /** What could be better, beside the single copy. */
  readonly advice: readonly Finding[];
}

/** Looks at this machine and runs a job of two ranks. `manifest` is the URL of the package.json of `onecopy`. */
export async function examine(manifest: URL): Promise<Examination> {
  const loaded = load();
  const trial: Trial =
    loaded.binding === undefined ? { failure: loaded.failure } : await runTrial(loaded.binding);
  const host = examineHost(thisSystem, process.env);
  const singleCopy = judgeSingleCopy(thisSystem, host, trial);
  const ranks = trial.ranks ?? [];
  // Buffers that are not pulled are not put on huge pages either, and there would be nothing to mend.
  const made =
    singleCopy.verdict === 'works'
      ? ranks.reduce((sum, { hugePages }) => sum + hugePages, 0)
      : undefined;
  const hugePages = examineHugePages(thisSystem, made);
  const instructionSet = examineInstructionSet(loaded.binding, process.env);
  const limits = examineLimits(thisSystem, ranks);
  const software = examineSoftware(thisSystem, manifest);
  const threads = parseStatus(ranks[0]?.status ?? undefined).threads;
  return {
    singleCopy,
    cores: examineCores(thisSystem, loaded.binding?.usableCores()),
    hugePages,
    instructionSet,
    limits,
    software,
    host,
    advice: [
      hugePagesAdvice(hugePages),
      instructionSetAdvice(instructionSet),
      ...limitsAdvice(limits, threads),
      softwareAdvice(software),
    ].filter((each) => each !== undefined),
  };
}

/** Who asks a doctor may have an installation that does not even load. */
function load(): { binding: Binding } | { binding?: undefined; failure: string } {
  try {
    return { binding: loadBinding() };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}
