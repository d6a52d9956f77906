import type { Binding } from '@onecopy/native';
import type { Finding } from './causes.ts';

/** Which instructions reductions use. */
export interface InstructionSet {
  readonly chosen: string;
  readonly supported: readonly string[];
  /** Why the choice that ONECOPY_ISA makes cannot be taken. */
  readonly error: string | undefined;
  /** ONECOPY_ISA, where it is set. */
  readonly wish: string | undefined;
}

/** Undefined without the native part. */
export function examineInstructionSet(
  binding: Pick<Binding, 'isa'> | undefined,
  environment: NodeJS.ProcessEnv,
): InstructionSet | undefined {
  if (binding?.isa === undefined) return undefined;
  const { chosen, supported, error } = binding.isa;
  return { chosen, supported, error, wish: environment.ONECOPY_ISA };
}

export function describeInstructionSet(isa: InstructionSet | undefined): string {
  if (isa === undefined) return 'unknown';
  const wished = isa.wish !== undefined && isa.error === undefined;
  const why = wished ? `, as ONECOPY_ISA=${isa.wish} wishes` : '';
  return `${isa.chosen} of ${isa.supported.join(', ')}${why}`;
}

export function instructionSetAdvice(isa: InstructionSet | undefined): Finding | undefined {
  if (isa?.error === undefined) return undefined;
  return {
    id: 'instructionSet',
    // What follows is advice for errors, which have no cure beside them.
    problem: `${isa.error.split('; ', 1)[0]}.`,
    cure: `Leave ONECOPY_ISA out, or set it to one of ${isa.supported.join(', ')}.`,
  };
}
