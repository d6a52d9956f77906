import { availableParallelism, cpus, release, type } from 'node:os';

/** A figure without its machine is worth nothing: processor, cores, kernel and Node, in one line. */
export function describeMachine(): string {
  const model = cpus()[0]?.model.replace(/\s+/g, ' ').trim() || 'unknown processor';
  const cores = availableParallelism();
  return `${model}, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${type()} ${release()}, Node ${process.version}`;
}
