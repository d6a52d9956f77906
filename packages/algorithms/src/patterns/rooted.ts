import { region, type ScheduleBuilder } from '../builder.ts';
import { IN, OUT } from '../schedule.ts';
import { rankAt } from './binomial.ts';

/** One message from each rank to the root. */
export function gatherDirectly(b: ScheduleBuilder, root: number): void {
  const { size, rank } = b;
  if (rank !== root) {
    b.send(root, region(IN, 0));
    return;
  }
  for (let position = 1; position < size; position += 1) {
    const source = rankAt(position, root, size);
    b.recv(source, region(OUT, source));
  }
  b.copy(region(IN, 0), region(OUT, root));
}

/** One message from the root to each rank. */
export function scatterDirectly(b: ScheduleBuilder, root: number): void {
  const { size, rank } = b;
  if (rank !== root) {
    b.recv(root, region(OUT, 0));
    return;
  }
  for (let position = 1; position < size; position += 1) {
    const target = rankAt(position, root, size);
    b.send(target, region(IN, target));
  }
  b.copy(region(IN, root), region(OUT, 0));
}
