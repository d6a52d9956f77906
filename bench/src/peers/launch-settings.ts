import type { Installation } from './installation.ts';

/** What a launcher is told so that its ranks are as fast as they can be here. */
export interface LaunchSettings {
  readonly options: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A core for each rank if there are enough; otherwise ranks that wait must let the others run. */
export function launchSettings(
  { kind, major }: Pick<Installation, 'kind' | 'major'>,
  ranks: number,
  cores: number,
): LaunchSettings {
  const fits = ranks <= cores;
  switch (kind) {
    case 'openmpi': {
      // From 5 on it finds its shared memory by itself, and single copy in it.
      const sharedMemory =
        major < 5
          ? ['--mca', 'btl', 'vader,self', '--mca', 'btl_vader_single_copy_mechanism', 'cma']
          : [];
      const binding = fits
        ? ['--bind-to', 'core']
        : ['--oversubscribe', '--bind-to', 'none', '--mca', 'mpi_yield_when_idle', '1'];
      return { options: [...sharedMemory, ...binding], env: OPEN_MPI_AS_ROOT };
    }
    case 'mpich':
      return fits
        ? { options: ['-bind-to', 'core'], env: {} }
        : { options: ['-bind-to', 'none'], env: { MPIR_CVAR_POLLS_BEFORE_YIELD: '1' } };
    default:
      return { options: [], env: {} };
  }
}

/** It does not run as root unless it is told twice. */
const OPEN_MPI_AS_ROOT: Readonly<Record<string, string>> = {
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
};

export function describeSettings({ options, env }: LaunchSettings): string {
  const variables = Object.entries(env)
    .filter(([name]) => !(name in OPEN_MPI_AS_ROOT))
    .map(([name, value]) => `${name}=${value}`);
  return [...variables, ...options].join(' ') || 'as it comes';
}
