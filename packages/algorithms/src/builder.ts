import {
  type BlockRange,
  type BufferShape,
  IN,
  type Layout,
  OUT,
  type Region,
  type Schedule,
  type Side,
  type Step,
  type StepId,
} from './schedule.ts';

/** Without `after` a step begins with its round. */
type After = readonly StepId[] | undefined;

/**
 * Puts a schedule together. Steps fall into rounds: `round()` begins a new one, which starts when the one before is
 * complete. A step that names its predecessors itself does not wait for its round.
 */
export class ScheduleBuilder {
  readonly size: number;
  readonly rank: number;
  readonly #buffers: BufferShape[];
  readonly #steps: Step[] = [];
  #publishes = 0;
  /** What the current round waits for. */
  #base: readonly StepId[] = [];
  #current: StepId[] = [];

  constructor(size: number, rank: number, input: Layout, output: Layout) {
    this.size = size;
    this.rank = rank;
    this.#buffers = [
      { layout: input, like: IN },
      { layout: output, like: OUT },
    ];
  }

  /** Memory of one execution; returns its number. */
  scratch(layout: Layout, like: BufferShape['like']): number {
    this.#buffers.push({ layout, like });
    return this.#buffers.length - 1;
  }

  /** What follows starts when all before it is complete. */
  round(): void {
    if (this.#current.length === 0) return;
    const many = this.#current.length > 2;
    this.#base = many ? [this.#add({ kind: 'join', after: this.#current })] : this.#current;
    this.#current = [];
  }

  send(peer: number, from: Region, after?: After): StepId {
    return this.#inRound({ kind: 'send', peer, from, after: this.#after(after) });
  }

  recv(peer: number, into: Region, after?: After): StepId {
    return this.#inRound({ kind: 'recv', peer, into, after: this.#after(after) });
  }

  recvReduce(peer: number, own: Region, into: Region, incoming: Side, after?: After): StepId {
    const kind = 'recvReduce';
    return this.#inRound({ kind, peer, own, into, incoming, after: this.#after(after) });
  }

  expose(peer: number, from: Region, after?: After): StepId {
    return this.#inRound({ kind: 'expose', peer, from, after: this.#after(after) });
  }

  accept(peer: number, shape: Region, after?: After): StepId {
    return this.#inRound({ kind: 'accept', peer, shape, after: this.#after(after) });
  }

  /** Also waits for its exposure. */
  pull(exposure: StepId, part: Region, into: Region, after?: After): StepId {
    const preceding = [...new Set([exposure, ...this.#after(after)])];
    return this.#inRound({ kind: 'pull', exposure, part, into, after: preceding });
  }

  pullReduce(
    exposure: StepId,
    part: Region,
    own: Region,
    into: Region,
    incoming: Side,
    after?: After,
  ): StepId {
    const preceding = [...new Set([exposure, ...this.#after(after)])];
    const kind = 'pullReduce';
    return this.#inRound({ kind, exposure, part, own, into, incoming, after: preceding });
  }

  copy(from: Region, into: Region, after?: After): StepId {
    return this.#inRound({ kind: 'copy', from, into, after: this.#after(after) });
  }

  pack(from: Region, into: Region, after?: After): StepId {
    return this.#inRound({ kind: 'pack', from, into, after: this.#after(after) });
  }

  unpack(from: Region, into: Region, after?: After): StepId {
    return this.#inRound({ kind: 'unpack', from, into, after: this.#after(after) });
  }

  reduce(from: Region, own: Region, into: Region, incoming: Side, after?: After): StepId {
    const kind = 'reduce';
    return this.#inRound({ kind, from, own, into, incoming, after: this.#after(after) });
  }

  measure(from: Region, into: Region, after?: After): StepId {
    return this.#inRound({ kind: 'measure', from, into, after: this.#after(after) });
  }

  publish(after?: After): StepId {
    this.#publishes += 1;
    return this.#inRound({ kind: 'publish', after: this.#after(after) });
  }

  await(peer: number, count: number, after?: After): StepId {
    return this.#inRound({ kind: 'await', peer, count, after: this.#after(after) });
  }

  copyIn(from: Region, after?: After): StepId {
    return this.#inRound({ kind: 'copyIn', from, after: this.#after(after) });
  }

  copyOut(peer: number, into: Region, after?: After): StepId {
    return this.#inRound({ kind: 'copyOut', peer, into, after: this.#after(after) });
  }

  build(): Schedule {
    return {
      size: this.size,
      rank: this.rank,
      buffers: this.#buffers,
      steps: this.#steps,
      publishes: this.#publishes,
    };
  }

  #after(after: After): readonly StepId[] {
    return after ?? this.#base;
  }

  #inRound(step: Step): StepId {
    const id = this.#add(step);
    this.#current.push(id);
    return id;
  }

  #add(step: Step): StepId {
    this.#steps.push(step);
    return this.#steps.length - 1;
  }
}

/** `blocks` consecutive blocks of a buffer. */
export function region(buffer: number, first: number, blocks = 1): Region {
  return { buffer, ranges: blocks === 0 ? [] : [{ first, blocks }] };
}

/** Blocks that go on at the buffer's beginning when they reach its end, as in a ring of `size` blocks. */
export function ring(buffer: number, first: number, blocks: number, size: number): Region {
  const start = ((first % size) + size) % size;
  const beyond = start + blocks - size;
  if (beyond <= 0) return region(buffer, start, blocks);
  return {
    buffer,
    ranges: [
      { first: start, blocks: blocks - beyond },
      { first: 0, blocks: beyond },
    ],
  };
}

/** Single blocks, neighbours taken together. */
export function listed(buffer: number, blocks: Iterable<number>): Region {
  const ranges: BlockRange[] = [];
  for (const first of blocks) {
    const last = ranges.at(-1);
    if (last !== undefined && last.first + last.blocks === first) {
      ranges[ranges.length - 1] = { first: last.first, blocks: last.blocks + 1 };
    } else {
      ranges.push({ first, blocks: 1 });
    }
  }
  return { buffer, ranges };
}

/** Blocks of `count` elements each. */
export function even(blocks: number): Layout {
  return { kind: 'even', blocks };
}

/** `count` elements shared out among blocks. */
export function split(blocks: number): Layout {
  return { kind: 'split', blocks };
}

/** Blocks whose lengths and places are the caller's `counts` and `displs`. */
export function placed(blocks: number): Layout {
  return { kind: 'listed', blocks };
}

/** Blocks one after the other whose lengths stand in the scratch buffer `counts`. */
export function counted(blocks: number, counts: number): Layout {
  return { kind: 'counted', blocks, counts };
}

/** On which side an operand from a peer stands when operands go in the order of ranks. */
export function sideOf(peer: number, rank: number): Side {
  return peer < rank ? 'left' : 'right';
}
