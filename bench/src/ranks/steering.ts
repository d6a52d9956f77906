/** What ranks of a benchmark say to each other outside the timers, over point-to-point messages alone. */
import { world } from '@onecopy/runtime';

const TAG = 2;

/** Every rank returns what rank 0 has given. */
export function shareFromRoot(numbers: Float64Array): Float64Array {
  if (world.rank !== 0) {
    world.recv(numbers, 0, TAG);
    return numbers;
  }
  for (let dest = 1; dest < world.size; dest += 1) world.send(numbers, dest, TAG);
  return numbers;
}

/** Rank 0 returns what each rank below `ranks` has given, by rank; the others undefined. */
export function gatherAtRoot(
  numbers: Float64Array,
  ranks: number = world.size,
): Float64Array[] | undefined {
  if (world.rank !== 0) {
    if (world.rank < ranks) world.send(numbers, 0, TAG);
    return undefined;
  }
  return Array.from({ length: ranks }, (_, source) => {
    if (source === 0) return numbers;
    const theirs = new Float64Array(numbers.length);
    world.recv(theirs, source, TAG);
    return theirs;
  });
}

/** Rank 0 hands a value to all; undefined ends the benchmark. */
export function sendCommand(command: unknown): void {
  const text = new TextEncoder().encode(command === undefined ? '' : JSON.stringify(command));
  for (let dest = 1; dest < world.size; dest += 1) world.send(text, dest, TAG);
}

export function receiveCommand(): unknown {
  const { data } = world.recvNew(Uint8Array, 0, TAG);
  return data.length === 0 ? undefined : JSON.parse(new TextDecoder().decode(data));
}
