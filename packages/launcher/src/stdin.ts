import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { isatty } from 'node:tty';

/**
 * What rank 0 reads: our own stdin itself, so that nothing of it is taken that rank 0 does not want. A terminal cannot
 * be handed on: it stops whoever reads it from outside its foreground process group, and each rank has a group of its
 * own. Then it is a pipe, which `feed` fills.
 */
export function stdinOfRankZero(): number | 'pipe' {
  return isatty(0) ? 'pipe' : 0;
}

/** Passes on what is typed at the terminal to rank 0. */
export function feed(fd: number): void {
  const pipe = new Socket({ fd, readable: false, writable: true });
  const { stdin } = process;
  let piped = false;

  const update = (): void => {
    const wanted = isForeground();
    if (wanted === piped) return;
    piped = wanted;
    if (wanted) {
      stdin.pipe(pipe);
    } else {
      stdin.unpipe(pipe);
      stdin.pause();
    }
  };
  const stop = (): void => {
    process.off('SIGCONT', update);
    stdin.unpipe(pipe);
    stdin.pause();
    pipe.destroy();
  };

  // Rank 0 has closed its stdin, or is gone.
  pipe.on('error', stop);
  // The terminal is gone.
  stdin.on('error', stop);
  // A shell that moves us between foreground and background does it with this.
  process.on('SIGCONT', update);
  update();
}

/** Reading the terminal from the background would stop us all. */
function isForeground(): boolean {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  // pid (name) state ppid pgrp session tty_nr tpgid; the name may contain anything.
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return group === foreground;
}
