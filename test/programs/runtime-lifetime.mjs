// What a process says of itself before it has joined its job, while it is in it, and when it has left.
import { finalized, initialized, world } from 'onecopy';

const say = (when) => console.log(`${when}: ${initialized()} ${finalized()}`);

process.on('exit', () => say('first exit handler'));
say('imported');
world.barrier();
say('joined');
process.on('exit', () => say('last exit handler'));
