// Rank 0 asks for a name, without a newline, and greets; the others say what they read.
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { world } from 'onecopy';

if (world.rank === 0) {
  process.stdout.write('name? ');
  for await (const name of createInterface({ input: process.stdin })) {
    console.log(`hello ${name}`);
    break;
  }
} else {
  const read = await text(process.stdin);
  console.log(`rank ${world.rank} read ${read.length} characters`);
}
world.barrier();
process.exit();
