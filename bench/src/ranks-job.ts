import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** The job ended before it had answered. What there is to say, the launcher has said on stderr. */
export class JobEnded extends Error {
  override name = 'JobEnded';
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`the ranks ended with exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** How a job is started. */
export interface RanksPlan {
  /** The file of the `onecopy` command. */
  readonly cli: string;
  readonly ranks: number;
  readonly launcherArguments: readonly string[];
}

/** Time for the launcher to end by the same Ctrl-C that we got, before it is told by us: a second one is a kill. */
const CTRL_C_MS = 500;

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Ranks under `onecopy run`, which is started as a user would start it: this package stands beside the launcher, not
 * above it. They take one command per line, see `protocol.ts`; between two commands rank 0 sleeps on its stdin and the
 * others in a receive.
 */
export class RanksJob {
  readonly #launcher: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: Interface;
  readonly #ended: Promise<number>;
  #interruption: JobEnded | undefined;

  constructor({ cli, ranks, launcherArguments }: RanksPlan, program: string) {
    this.#launcher = spawn(
      process.execPath,
      [...process.execArgv, cli, 'run', '-n', String(ranks), ...launcherArguments, program],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    // Writing to a job that has just ended; #ended says so too.
    this.#launcher.stdin.on('error', () => undefined);
    this.#answers = createInterface({ input: this.#launcher.stdout });
    this.#ended = new Promise((resolve, reject) => {
      this.#launcher.once('error', reject);
      // A launcher passes a signal on as 128 + its number; its own death by one is as good as that.
      this.#launcher.once('close', (code) => resolve(code ?? 1));
    });
    for (const signal of SIGNALS) process.on(signal, this.#passOn);
    const stopListening = (): void => {
      for (const signal of SIGNALS) process.off(signal, this.#passOn);
    };
    this.#ended.then(stopListening, stopListening);
  }

  /** Set when a signal has told us to end: whatever fails after it fails because of it. */
  get interruption(): JobEnded | undefined {
    return this.#interruption;
  }

  /** A signal to us alone must end the ranks as well, and we are the last to go. */
  readonly #passOn = (signal: NodeJS.Signals): void => {
    this.#interruption ??= new JobEnded(128 + constants.signals[signal]);
    const tell = (): void => {
      this.#launcher.kill(signal);
    };
    if (signal === 'SIGINT') setTimeout(tell, CTRL_C_MS).unref();
    else tell();
  };

  /** What rank 0 answers to a command. */
  async command<Answer>(command: object): Promise<Answer> {
    const answer = new Promise<string>((resolve) => {
      this.#answers.once('line', resolve);
    });
    this.#launcher.stdin.write(`${JSON.stringify(command)}\n`);
    const failure = this.#ended.then((code): never => {
      throw this.#interruption ?? new JobEnded(code === 0 ? 1 : code);
    });
    return JSON.parse(await Promise.race([answer, failure])) as Answer;
  }

  /** Ends the ranks at once, whatever they are doing. */
  kill(): void {
    this.#launcher.kill('SIGKILL');
  }

  /** Lets the ranks end, and throws a JobEnded when that fails. */
  async close(): Promise<void> {
    this.#launcher.stdin.end();
    const code = await this.#ended;
    if (code !== 0) throw this.#interruption ?? new JobEnded(code);
  }
}
