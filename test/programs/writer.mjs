// Writes the same line over and over, one write each, until the given number of bytes is out.
import { writeSync } from 'node:fs';
import { world } from 'onecopy';

const line = Buffer.from(`${world.rank}${'.'.repeat(1022)}\n`);
for (let left = Number(process.argv[2]); left > 0; left -= line.length) {
  for (let at = 0; at < line.length; ) at += writeSync(1, line, at);
}
