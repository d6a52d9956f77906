import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export const root: string = join(import.meta.dirname, '../..');
export const cli: string = join(root, 'packages/onecopy/bin/onecopy.js');

/** A program of test/programs. */
export function program(name: string): string {
  return join(root, 'test/programs', name);
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What the command reads; without it an empty stdin. 'open': stays open, see `stdin`. */
  readonly input?: string | Buffer | 'open';
  /** Descriptors that the command gets as 3 and up. */
  readonly descriptors?: readonly number[];
  /** A test hangs no longer than this. */
  readonly deadlineMs?: number;
}

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that a test has started. Whatever is left of it when the test ends is killed. */
export class Command {
  /** In the environment of every process below this one; see leftovers.ts. */
  readonly mark: string = randomUUID();
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Outcome>;
  readonly stdoutChunks: Buffer[] = [];
  readonly stderrChunks: Buffer[] = [];

  constructor(file: string, args: readonly string[], options: CommandOptions = {}) {
    this.child = spawn(file, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env, ONECOPY_TEST: this.mark },
      stdio: ['pipe', 'pipe', 'pipe', ...(options.descriptors ?? [])],
    }) as ChildProcessWithoutNullStreams;
    const { child } = this;
    child.stdout.on('data', (chunk: Buffer) => this.stdoutChunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => this.stderrChunks.push(chunk));
    // It may have ended without reading its input.
    child.stdin.on('error', () => undefined);
    if (options.input !== 'open') child.stdin.end(options.input ?? '');

    const deadline = setTimeout(() => child.kill('SIGKILL'), options.deadlineMs ?? 60_000);
    onTestFinished(() => {
      clearTimeout(deadline);
      child.kill('SIGKILL');
    });
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearTimeout(deadline);
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
    this.ended.catch(() => undefined);
  }

  get pid(): number {
    return this.child.pid!;
  }

  get stdout(): string {
    return Buffer.concat(this.stdoutChunks).toString();
  }

  get stderr(): string {
    return Buffer.concat(this.stderrChunks).toString();
  }

  /** Resolves when stdout matches, and rejects when it never will. */
  stdoutMatches(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#matches('stdout', pattern);
  }

  stderrMatches(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#matches('stderr', pattern);
  }

  #matches(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(this[stream]);
        if (found === null) return;
        this.child[stream].off('data', look);
        resolve(found);
      };
      this.child[stream].on('data', look);
      this.ended.then((outcome) => {
        look();
        reject(new Error(`${stream} never matched ${pattern}: ${JSON.stringify(outcome)}`));
      }, reject);
      look();
    });
  }
}

/** Starts the `onecopy` command. */
export function onecopy(args: readonly string[], options?: CommandOptions): Command {
  return new Command(process.execPath, [cli, ...args], options);
}

/** Runs the `onecopy` command to its end. */
export function runOnecopy(args: readonly string[], options?: CommandOptions): Promise<Outcome> {
  return onecopy(args, options).ended;
}
