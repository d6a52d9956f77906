// Says who it is, after having talked to the others.
import { world } from 'onecopy';

world.barrier();
console.log(`rank ${world.rank} of ${world.size}`);
