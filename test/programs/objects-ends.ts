// One of two ranks dies before, or instead of, its part of an exchange of objects; the other says what it was told.
import { MpiError, world } from 'onecopy';

const [who] = process.argv.slice(2);
const dies = world.rank === (who === 'sender' ? 0 : 1);
const value = { array: new Float64Array(1_000_000) };

world.barrier();
if (dies) process.kill(process.pid, 'SIGKILL');
try {
  if (who === 'sender') world.recvObject(0, 1);
  else world.sendObject(value, 1, 1);
  console.log('succeeded');
} catch (error) {
  console.log(error instanceof MpiError ? error.code : String(error));
}
