// What keeps a process alive, and what becomes of requests that nobody looks at: node runtime-alive.mjs how
import { PROC_NULL, world } from 'onecopy';

const buffer = new Uint8Array(8);

const WAYS = {
  // A pending request that nobody awaits does not; the timer shows whether the loop was left on its own accord.
  pending() {
    globalThis.kept = world.irecv(buffer, 0, 1);
    setTimeout(() => console.log('too long'), 10_000).unref();
  },

  // One that is awaited does, until it completes.
  awaited() {
    world.irecv(buffer, 0, 1).then(({ bytes }) => console.log(`${bytes} bytes`));
    setTimeout(() => world.send(buffer, 0, 1), 50);
  },

  // Being asked by other means is no reason.
  asked() {
    globalThis.kept = world.irecv(buffer, 0, 1);
    console.log(globalThis.kept.test());
    setTimeout(() => console.log('too long'), 10_000).unref();
  },

  // Nor is one that has completed by other means before the loop saw it, or was taken back.
  ended() {
    const waited = world.irecv(buffer, 0, 1);
    waited.then(() => console.log('waited'));
    world.send(buffer, 0, 1);
    waited.wait();
    const cancelled = world.irecv(buffer, 0, 1);
    cancelled.catch(({ code }) => console.log(code));
    cancelled.cancel();
    world.isend(buffer, PROC_NULL).then(() => console.log('nobody'));
    setTimeout(() => console.log('too long'), 10_000).unref();
  },

  // A failure that nobody asked for comes to light when the program ends.
  unobserved() {
    globalThis.kept = world.irecv(buffer.subarray(0, 4), 0, 1);
    world.send(buffer, 0, 1);
  },

  // So does one of a request that was awaited without a handler.
  unhandled() {
    world.irecv(buffer.subarray(0, 4), 0, 1).then(() => undefined);
    world.send(buffer, 0, 1);
  },

  // Not one that was seen.
  observed() {
    const request = world.irecv(buffer.subarray(0, 4), 0, 1);
    world.send(buffer, 0, 1);
    try {
      request.wait();
    } catch ({ code }) {
      console.log(code);
    }
    const cancelled = world.irecv(buffer, 0, 1);
    console.log(cancelled.cancel());
  },
};

WAYS[process.argv[2]]();
