// How often collective operations call the addon. To read the counters is not counted.
import { counters, SUM, world } from 'onecopy';

function callsOf(action: () => unknown): number {
  action();
  const before = counters().calls ?? Number.NaN;
  for (let i = 0; i < 100; i++) action();
  return (counters().calls ?? Number.NaN) - before;
}

const buffer = new Float64Array(1);
const sum = new Float64Array(1);
console.log(
  JSON.stringify({
    bcast: callsOf(() => world.bcast(buffer)),
    barrier: callsOf(() => world.barrier()),
    allreduce: callsOf(() => world.allreduce(buffer, sum, SUM)),
    number: callsOf(() => world.allreduce(1, SUM)),
  }),
);
