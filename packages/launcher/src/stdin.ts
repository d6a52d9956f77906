import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { isatty } from 'node:tty';

const NEWLINE = 0x0a;

/** How often a job in the background looks whether the terminal is its own again. */
const LOOK_MS = 300;

/**
 * What rank 0 reads: our own stdin itself, so that nothing of it is taken that rank 0 does not want. A terminal cannot
 * be handed on: it stops whoever reads it from outside its foreground process group, and each rank has a group of its
 * own. Then it is a pipe, which `feed` fills.
 */
export function stdinOfRankZero(): number | 'pipe' {
  return isatty(0) ? 'pipe' : 0;
}

/** Passes on what is typed at the terminal to rank 0; `onLine` is called when a line has been typed. */
export function feed(fd: number, onLine: () => void): void {
  const pipe = new Socket({ fd, readable: false, writable: true });
  const { stdin } = process;
  let reading = false;
  let looking: NodeJS.Timeout | undefined;

  const typed = (bytes: Buffer): void => {
    if (bytes.includes(NEWLINE)) onLine();
  };
  const start = (): void => {
    reading = true;
    clearInterval(looking);
    stdin.on('data', typed);
    stdin.pipe(pipe);
  };
  const stop = (): void => {
    reading = false;
    stdin.off('data', typed);
    stdin.unpipe(pipe);
    stdin.pause();
  };
  const update = (): void => {
    if (isForeground() === reading) return;
    if (reading) {
      stop();
      looking = setInterval(update, LOOK_MS);
    } else {
      start();
    }
  };
  const close = (): void => {
    process.off('SIGCONT', update);
    clearInterval(looking);
    stop();
    pipe.destroy();
  };

  // Rank 0 has closed its stdin, or is gone.
  pipe.on('error', close);
  // The terminal is gone.
  stdin.on('error', close);
  // Who stops a job and lets it go on, in the foreground or not, does it with this. Who only brings it from the
  // background to the foreground does not say so.
  process.on('SIGCONT', update);
  looking = setInterval(update, LOOK_MS);
  update();
}

/** Reading the terminal from the background would stop us all. */
function isForeground(): boolean {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  // pid (name) state ppid pgrp session tty_nr tpgid; the name may contain anything.
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return group === foreground;
}
