import { parseArgs } from 'node:util';
import { nearest, UsageError } from '../usage.ts';

export interface DoctorOptions {
  readonly json: boolean;
}

export const DOCTOR_HELP: string = `Usage: onecopy doctor [--json]

Says whether ranks can copy straight out of each other's memory on this machine, and if not, why
and what to do; and what else decides how fast and how large a job can be. It runs a job of two
ranks to find out.

  --json       one JSON object: singleCopy (verdict: works, refused or failed; causes, each with
               problem and cure), cores, hugePages, instructionSet, limits, software, host, advice;
               null is what is unknown or not there. docs/doctor.md lists the fields
  -h, --help   show this

The exit code is 0 if the single copy works, 1 if it is refused or no job can be run, and 2 if the
command could not be understood. What only could be better does not change it.
`;

const OPTIONS = {
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** What stands after `onecopy doctor`. Throws a UsageError with one sentence. */
export function parseDoctorOptions(args: readonly string[]): DoctorOptions | 'help' {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    tokens: true,
  });
  let json = false;
  for (const token of tokens) {
    if (token.kind === 'positional') {
      throw new UsageError(`onecopy doctor examines this machine: what is ${token.value}?`);
    }
    if (token.kind !== 'option') continue;
    if (token.name !== 'json' && token.name !== 'help') throw unknownOption(token.rawName);
    if (token.value !== undefined) {
      throw new UsageError(`${token.rawName} takes no value, but it was given ${token.value}.`);
    }
    if (token.name === 'help') return 'help';
    json = true;
  }
  return { json };
}

function unknownOption(name: string): UsageError {
  const meant = nearest(name, ['--json', '--help']);
  const advice = meant === undefined ? 'see onecopy doctor --help' : `did you mean ${meant}?`;
  return new UsageError(`There is no option ${name}: ${advice}`);
}
