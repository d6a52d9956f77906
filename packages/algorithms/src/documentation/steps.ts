import { IN, OUT, type Region, type Schedule, type Step } from '../schedule.ts';

/** One line for each step of a schedule: its number, what it does, and what it waits for. */
export function describeSteps(schedule: Schedule): string[] {
  const digits = String(schedule.steps.length).length;
  return schedule.steps.map((step, id) => {
    const after = step.after.length === 0 ? '' : `   after ${step.after.join(', ')}`;
    return `${String(id).padStart(digits)}  ${describeStep(step)}${after}`;
  });
}

function describeStep(step: Step): string {
  switch (step.kind) {
    case 'send':
      return `send to ${step.peer}: ${describe(step.from)}`;
    case 'recv':
      return `recv from ${step.peer}: ${describe(step.into)}`;
    case 'recvReduce':
      return `recvReduce from ${step.peer}: ${describe(step.into)} = ${combined('received', step)}`;
    case 'expose':
      return `expose to ${step.peer}: ${describe(step.from)}`;
    case 'accept':
      return `accept from ${step.peer}: as ${describe(step.shape)}`;
    case 'pull':
      return `pull by ${step.exposure}: ${describe(step.into)} = their ${describe(step.part)}`;
    case 'pullReduce': {
      const theirs = `their ${describe(step.part)}`;
      return `pullReduce by ${step.exposure}: ${describe(step.into)} = ${combined(theirs, step)}`;
    }
    case 'reduce':
      return `reduce: ${describe(step.into)} = ${combined(describe(step.from), step)}`;
    case 'copy':
    case 'pack':
    case 'unpack':
      return `${step.kind}: ${describe(step.into)} = ${describe(step.from)}`;
    case 'measure':
      return `measure: ${describe(step.into)} = lengths of ${describe(step.from)}`;
    case 'await':
      return `await ${step.count} of ${step.peer}`;
    case 'copyIn':
      return `copyIn: cell = ${describe(step.from)}`;
    case 'copyOut':
      return `copyOut: ${describe(step.into)} = cell of ${step.peer}`;
    default:
      return step.kind;
  }
}

function combined(
  incoming: string,
  { own, incoming: side }: Step & { kind: 'reduce' | 'recvReduce' | 'pullReduce' },
): string {
  return side === 'left' ? `${incoming} ∘ ${describe(own)}` : `${describe(own)} ∘ ${incoming}`;
}

function describe({ buffer, ranges }: Region): string {
  const blocks = ranges.map(({ first, blocks: count }) =>
    count === 1 ? `${first}` : `${first}–${first + count - 1}`,
  );
  return ranges.length === 0 ? 'nothing' : `${nameOf(buffer)}[${blocks.join(', ')}]`;
}

function nameOf(buffer: number): string {
  if (buffer === IN) return 'IN';
  return buffer === OUT ? 'OUT' : `scratch ${buffer}`;
}
