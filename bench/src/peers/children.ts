import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** A program of others ended badly; the sentence is for the user. */
export class ProgramFailed extends Error {
  override name = 'ProgramFailed';
}

/** It did not end in its time, and was ended. */
export class ProgramStalled extends ProgramFailed {
  override name = 'ProgramStalled';
}

/** All is being ended, this too: nothing that anybody did wrong. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

export interface Settings {
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** Every process that descends from ours bears it, also where a launcher puts its ranks into groups of their own. */
const MARK = 'ONECOPY_BENCH_PEERS';

/** Time for a launcher to end its ranks by itself. */
const SIGTERM_MS = 2_000;

/** Why a program failed is usually said first, and often followed by pages of advice. */
const STDERR_CHARACTERS = 600;

/** Programs of others, none of which outlives its time or this process. */
export class Children {
  readonly #mark = randomUUID();
  #ending = false;

  /** What the program wrote on stdout. Throws a ProgramFailed. */
  async run(command: readonly string[], settings: Settings): Promise<string> {
    const { stdout, ended } = this.start(command, settings);
    await ended;
    return stdout();
  }

  /** The same, not waiting for its end. */
  start(
    command: readonly string[],
    { env = {}, timeoutMs }: Settings,
  ): { stdout(): string; ended: Promise<void> } {
    const [file, ...args] = command as [string, ...string[]];
    if (this.#ending) throw new Interrupted(`${file} was not started`);
    const child = spawn(file, args, {
      env: { ...process.env, ...env, [MARK]: this.#mark },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = this.#endOf(child, file, timeoutMs, () => stderr.trim() || stdout.trim());
    return { stdout: () => stdout, ended };
  }

  async #endOf(
    child: ChildProcess,
    file: string,
    timeoutMs: number,
    lastWords: () => string,
  ): Promise<void> {
    let stalled = false;
    let timer = setTimeout(() => {
      stalled = true;
      child.kill('SIGTERM');
      timer = setTimeout(() => this.#killAll(), SIGTERM_MS);
    }, timeoutMs);
    try {
      await new Promise<void>((resolve, reject) => {
        child.once('error', (error: NodeJS.ErrnoException) => {
          const reason = error.code === 'ENOENT' ? 'there is no such program' : error.message;
          reject(new ProgramFailed(`${file}: ${reason}`));
        });
        child.once('close', (code, signal) => {
          if (code === 0 && !stalled) resolve();
          else if (this.#ending) {
            reject(new Interrupted(`${file} was ended`));
          } else if (stalled) {
            reject(new ProgramStalled(`no end after ${timeoutMs / 1000} s`));
          } else {
            const how = signal === null ? `exit code ${code}` : `ended by ${signal}`;
            const why = lastWords().slice(0, STDERR_CHARACTERS);
            reject(new ProgramFailed(`${file}: ${how}${why === '' ? '' : `: ${why}`}`));
          }
        });
      });
    } finally {
      clearTimeout(timer);
      // A launcher that was killed may have left ranks, which would take the next one's cores.
      if (stalled) this.#killAll();
    }
  }

  /** Ends all there are; nothing more can be started. */
  endAll(): void {
    this.#ending = true;
    this.#killAll();
  }

  #killAll(): void {
    for (const pid of marked(`${MARK}=${this.#mark}`)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

function marked(entry: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(entry);
      } catch {
        return false; // Not ours to read, or gone.
      }
    })
    .map(Number);
}
