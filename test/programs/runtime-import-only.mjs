// Importing loads nothing native and starts nothing; the first use does.
import { isMainThread, Worker } from 'node:worker_threads';

if (isMainThread) {
  const { dlopen } = process;
  let loaded = 0;
  process.dlopen = (...args) => {
    loaded++;
    return dlopen.apply(process, args);
  };
  const { world } = await import('onecopy');
  const before = loaded;
  console.log(`imported: ${before} loaded`);
  console.log(`rank ${world.rank}: ${loaded - before} loaded`);
  await new Promise((resolve) => new Worker(new URL(import.meta.url)).on('exit', resolve));
} else {
  const { self, world } = await import('onecopy');
  const buffer = new Uint8Array(1);
  for (const use of [
    () => world.rank,
    () => self.size,
    () => world.send(buffer, 0),
    () => world.issend(buffer, 0),
    () => world.isendrecvReplace(buffer, 0, 0, 0, 0, { timeout: 1 }),
    () => world.recvInit(buffer, 0),
  ]) {
    try {
      use();
    } catch (error) {
      console.log(`${error.code}: ${error.message}`);
    }
  }
}
