// A rank that uses onecopy and then starts a Node that does so too.
import { spawnSync } from 'node:child_process';
import { world } from 'onecopy';

world.barrier();
const script = 'import("onecopy").then((its) => console.log([its.world.rank, its.world.size]))';
const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', script], {
  cwd: import.meta.dirname,
  encoding: 'utf8',
});
console.log(
  `rank ${world.rank}: its child exited with ${status} and said ${(stdout + stderr).trim()}`,
);
