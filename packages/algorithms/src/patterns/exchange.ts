import { region, type ScheduleBuilder } from '../builder.ts';
import { IN, OUT } from '../schedule.ts';

/**
 * Every pair of ranks exchanges blocks directly, in turned order so that no rank is everybody's first. All receives are
 * posted before the first send: what arrives goes straight to its place.
 */
export function exchangeDirectly(b: ScheduleBuilder): void {
  const { size, rank } = b;
  for (let distance = 1; distance < size; distance += 1) {
    const source = (rank - distance + size) % size;
    b.recv(source, region(OUT, source));
  }
  for (let distance = 1; distance < size; distance += 1) {
    const target = (rank + distance) % size;
    b.send(target, region(IN, target));
  }
  b.copy(region(IN, rank), region(OUT, rank));
}
