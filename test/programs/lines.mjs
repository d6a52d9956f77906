// Every rank writes so many lines of so many bytes, and leaves at once.
import { world } from 'onecopy';

const [count, bytes] = process.argv.slice(2).map(Number);
const start = `${world.rank}:`;
const line = `${start}${String.fromCharCode(97 + world.rank).repeat(bytes - start.length - 1)}\n`;
process.stdout.write(line.repeat(count));
process.exit(0);
