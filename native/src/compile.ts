import type { Layout, Region, Schedule, Step, StepKind } from '@onecopy/algorithms';

/** Codes of step kinds; the order of `StepKind` in native/core/schedule/schedule.h. */
const STEP_KINDS: readonly StepKind[] = [
  'send',
  'recv',
  'recvReduce',
  'expose',
  'accept',
  'pull',
  'pullReduce',
  'copy',
  'pack',
  'unpack',
  'reduce',
  'measure',
  'publish',
  'await',
  'copyIn',
  'copyOut',
  'join',
];
const STEP_CODES: ReadonlyMap<StepKind, number> = new Map(
  STEP_KINDS.map((kind, code) => [kind, code]),
);

/** The order of `LayoutKind` in native/core/schedule/schedule.h. */
const LAYOUTS: readonly Layout['kind'][] = ['even', 'split', 'listed', 'counted'];

/** What stands for "buffer of lengths" where a buffer's count and type are named. */
const LENGTHS = 2;

/** A schedule as the list of numbers that native/core/schedule/schedule.cc reads. */
export function compile(schedule: Schedule): Int32Array {
  const program = [schedule.size, schedule.rank, schedule.publishes, schedule.buffers.length];
  for (const { layout, like } of schedule.buffers) {
    const counts = layout.kind === 'counted' ? layout.counts : 0;
    program.push(LAYOUTS.indexOf(layout.kind), layout.blocks, counts);
    program.push(like === 'lengths' ? LENGTHS : like);
  }
  program.push(schedule.steps.length);
  for (const step of schedule.steps) {
    program.push(STEP_CODES.get(step.kind) as number);
    writeStep(program, step);
    program.push(step.after.length);
    for (const id of step.after) program.push(id);
  }
  return Int32Array.from(program);
}

/** Peer or exposure, what is read, own operand, what is written: each only where the kind has it. */
function writeStep(program: number[], step: Step): void {
  if ('peer' in step) program.push(step.peer);
  if (step.kind === 'await') program.push(step.count);
  if ('exposure' in step) program.push(step.exposure);
  if ('from' in step) writeRegion(program, step.from);
  if ('shape' in step) writeRegion(program, step.shape);
  if ('part' in step) writeRegion(program, step.part);
  if ('own' in step) {
    program.push(step.incoming === 'left' ? 0 : 1);
    writeRegion(program, step.own);
  }
  if ('into' in step) writeRegion(program, step.into);
}

function writeRegion(program: number[], region: Region): void {
  program.push(region.buffer, region.ranges.length);
  for (const { first, blocks } of region.ranges) program.push(first, blocks);
}
