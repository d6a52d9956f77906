/** Operations that only move data: bcast, gather, scatter, allgather, alltoall and their v-variants. */
import { MpiError } from '@onecopy/engine';
import {
  type Blocks,
  blockOf,
  blocksOf,
  buffer,
  checkApart,
  checkDisjoint,
  checkSameLength,
  checkSameType,
  fresh,
  IN_PLACE,
  type Operand,
  operandOf,
  partOf,
} from './operand.ts';
import { type Plan, plan } from './plan.ts';
import { copyOf } from './reductions.ts';
import type { Site } from './site.ts';

export function bcast(call: string, argument: unknown, root: number): Plan<unknown> {
  const message = operandOf(call, 'buffer', argument);
  const both = buffer(message, message.elements);
  const bytes = message.elements * message.type.bytes;
  return plan({ operation: 'bcast', root, input: both, output: both, bytes }, () => argument);
}

export function gather(site: Site, input: unknown, into: unknown, root: number): Plan<unknown> {
  const isRoot = site.rank === root;
  if (!isRoot) {
    refuseInPlace('gather', input, root);
    const from = operandOf('gather', 'send buffer', numberAsArray(input));
    const { elements: count } = from;
    const bytes = count * from.type.bytes;
    return plan({ operation: 'gather', root, input: buffer(from, count), bytes }, () => undefined);
  }
  return gathered(site, 'gather', input, into, root);
}

export function allgather(site: Site, input: unknown, into: unknown): Plan<unknown> {
  return gathered(site, 'allgather', input, into, undefined);
}

/** On a rank that gets one block from each. */
function gathered(
  site: Site,
  operation: 'gather' | 'allgather',
  input: unknown,
  into: unknown,
  root: number | undefined,
): Plan<unknown> {
  const { rank, size } = site;
  const rooted = root === undefined ? {} : { root };
  if (input === IN_PLACE) {
    const output = operandOf(operation, 'receive buffer', into);
    const count = blockOf(operation, output, size);
    const call = { operation, ...rooted, bytes: count * output.type.bytes } as const;
    const own = partOf(output, rank * count, count);
    return plan({ ...call, input: own, output: buffer(output, count) }, () => into);
  }
  const from = operandOf(operation, 'send buffer', numberAsArray(input));
  const count = from.elements;
  const result = into === undefined ? fresh(operation, from, count * size) : into;
  const output = operandOf(operation, 'receive buffer', result);
  const block = blockOf(operation, output, size);
  checkSameType(operation, from, output);
  checkSameLength(operation, from, count, output, block, 'for each rank');
  checkApart(operation, from, output);
  return plan(
    {
      operation,
      ...rooted,
      input: buffer(from, count),
      output: buffer(output, block),
      bytes: count * from.type.bytes,
    },
    () => result,
  );
}

function numberAsArray(value: unknown): unknown {
  return typeof value === 'number' ? Float64Array.of(value) : value;
}

function refuseInPlace(call: string, value: unknown, root: number): void {
  if (value !== IN_PLACE) return;
  throw new MpiError(
    'ERR_BUFFER',
    `${call}: only the root, rank ${root}, may pass IN_PLACE: elsewhere there is nothing to be in place of`,
  );
}

export function scatter(site: Site, input: unknown, into: unknown, root: number): Plan<unknown> {
  const call = 'scatter';
  if (site.rank !== root) {
    refuseInPlace(call, into, root);
    const output = operandOf(call, 'receive buffer', into);
    const count = output.elements;
    const bytes = count * output.type.bytes;
    return plan({ operation: call, root, output: buffer(output, count), bytes }, () => into);
  }
  const from = operandOf(call, 'send buffer', input);
  const count = blockOf(call, from, site.size);
  const bytes = count * from.type.bytes;
  const given = { operation: call, root, input: buffer(from, count), bytes } as const;
  if (into === IN_PLACE) {
    return plan({ ...given, output: partOf(from, root * count, count) }, () => into);
  }
  const output = operandOf(call, 'receive buffer', into);
  checkSameType(call, from, output);
  checkSameLength(call, from, count, output, output.elements, 'for each rank');
  checkApart(call, from, output);
  return plan({ ...given, output: buffer(output, output.elements) }, () => into);
}

export function alltoall(site: Site, input: unknown, into: unknown): Plan<unknown> {
  const call = 'alltoall';
  const inPlace = input === IN_PLACE;
  const given = operandOf(call, inPlace ? 'buffer' : 'send buffer', inPlace ? into : input);
  const from = inPlace ? copyOf(given) : given;
  const count = blockOf(call, from, site.size);
  const result = into === undefined ? fresh(call, from, from.elements) : into;
  const output = operandOf(call, 'receive buffer', result);
  const block = blockOf(call, output, site.size);
  checkSameType(call, from, output);
  checkSameLength(call, from, count, output, block, 'for each rank');
  checkApart(call, from, output);
  return plan(
    {
      operation: call,
      input: buffer(from, count),
      output: buffer(output, block),
      bytes: count * from.type.bytes,
    },
    () => result,
  );
}

// --------------------------------------------------------------------------------------------------- v-variants

export function gatherv(site: Site, input: unknown, into: unknown, root: number): Plan<unknown> {
  const call = 'gatherv';
  if (site.rank !== root) {
    refuseInPlace(call, input, root);
    const from = operandOf(call, 'send buffer', input);
    const own = buffer(from, from.elements);
    return plan({ operation: call, root, input: own, bytes: 0 }, () => undefined);
  }
  const output = blocksOf(call, 'receive buffer', into, site.size);
  checkDisjoint(call, output);
  const own = ownBlock(call, site, input, output);
  return plan({ operation: call, root, input: own, output: output.buffer, bytes: 0 }, () =>
    dataOf(into),
  );
}

export function allgatherv(site: Site, input: unknown, into: unknown): Plan<unknown> {
  const call = 'allgatherv';
  const output = blocksOf(call, 'receive buffer', into, site.size);
  checkDisjoint(call, output);
  const own = ownBlock(call, site, input, output);
  const bytes = output.counts.reduce((sum, count) => sum + count, 0) * output.type.bytes;
  return plan({ operation: call, input: own, output: output.buffer, bytes }, () => dataOf(into));
}

/** What this rank itself contributes to a receive buffer of blocks. */
function ownBlock(call: string, site: Site, input: unknown, output: Blocks) {
  const count = output.counts[site.rank] as number;
  if (input === IN_PLACE) return partOf(output, output.displs[site.rank] as number, count);
  const from = operandOf(call, 'send buffer', input);
  checkSameType(call, from, output);
  checkSameLength(call, from, from.elements, output, count, 'for this rank');
  checkApart(call, from, output);
  return buffer(from, from.elements);
}

export function scatterv(site: Site, input: unknown, into: unknown, root: number): Plan<unknown> {
  const call = 'scatterv';
  if (site.rank !== root) {
    refuseInPlace(call, into, root);
    const output = operandOf(call, 'receive buffer', into);
    const own = buffer(output, output.elements);
    return plan({ operation: call, root, output: own, bytes: 0 }, () => into);
  }
  const from = blocksOf(call, 'send buffer', input, site.size);
  const count = from.counts[root] as number;
  const given = { operation: call, root, input: from.buffer, bytes: 0 } as const;
  if (into === IN_PLACE) {
    const own = partOf(from, from.displs[root] as number, count);
    return plan({ ...given, output: own }, () => into);
  }
  const output = operandOf(call, 'receive buffer', into);
  checkSameType(call, from, output);
  checkSameLength(call, from, count, output, output.elements, 'for this rank');
  checkApart(call, from, output);
  return plan({ ...given, output: buffer(output, output.elements) }, () => into);
}

export function alltoallv(site: Site, input: unknown, into: unknown): Plan<unknown> {
  const call = 'alltoallv';
  const output = blocksOf(call, 'receive buffer', into, site.size);
  checkDisjoint(call, output);
  const from =
    input === IN_PLACE ? copyOfBlocks(output) : blocksOf(call, 'send buffer', input, site.size);
  checkSameType(call, from, output);
  const mine = from.counts[site.rank] as number;
  checkSameLength(call, from, mine, output, output.counts[site.rank] as number, 'for this rank');
  if (input !== IN_PLACE) checkApart(call, from, output);
  return plan({ operation: call, input: from.buffer, output: output.buffer, bytes: 0 }, () =>
    dataOf(into),
  );
}

function copyOfBlocks(blocks: Blocks): Blocks {
  const copy: Operand = copyOf(blocks);
  return { ...blocks, view: copy.view, buffer: { ...blocks.buffer, view: copy.view } };
}

function dataOf(argument: unknown): unknown {
  return (argument as { data: unknown }).data;
}
