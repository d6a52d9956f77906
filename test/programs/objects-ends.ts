// One of two ranks dies or leaves instead of its part of an exchange of objects; the other says what it was told.
import { MpiError, world } from 'onecopy';

const [who, how] = process.argv.slice(2);
const value = { array: new Float64Array(1_000_000) };

function tryIt(): void {
  try {
    if (who === 'sender') world.recvObject(0, 1);
    else world.sendObject(value, 1, 1);
    console.log('succeeded');
  } catch (error) {
    console.log(error instanceof MpiError ? error.code : String(error));
  }
}

world.barrier();
if (world.rank !== (who === 'sender' ? 0 : 1)) tryIt();
else if (how === 'dies') process.kill(process.pid, 'SIGKILL');
