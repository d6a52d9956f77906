import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type LoopPlan, TURN_MS } from '../../loops.ts';
import type { Answer } from '../protocol.ts';
import type { Side } from '../side.ts';
import { ELEMENTS_BYTES, STRIDE_BYTES } from '../sizes.ts';

const execute = promisify(execFile);

/** Beside `src` and `dist`. */
const SOURCE = fileURLToPath(new URL('../../../pack/pack.c', import.meta.url));
/** As the peers in C are compiled. */
const FLAGS = ['-std=c11', '-O2', '-D_GNU_SOURCE'];
const WARMUP_MS = 50;

/** A loop in C that only packs what we send, with nobody to send it to; compiled when it is first measured. */
export class PackLoop implements Side {
  readonly name = 'C pack loop';
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'onecopy-pack-'));
  readonly #remove = (): void => rmSync(this.#folder, { recursive: true, force: true });
  #program: Promise<string> | undefined;

  constructor() {
    // Also when whoever reads our output has gone.
    process.once('exit', this.#remove);
  }

  async measure({ iterationsBudgetMs = TURN_MS }: LoopPlan): Promise<Answer> {
    this.#program ??= this.#compile();
    let program: string;
    try {
      program = await this.#program;
    } catch (error) {
      return { unavailable: `cc could not compile it: ${(error as Error).message.split('\n')[0]}` };
    }
    const args = [STRIDE_BYTES, ELEMENTS_BYTES, WARMUP_MS, Math.ceil(iterationsBudgetMs)];
    const { stdout } = await execute(program, args.map(String));
    return { meanUs: Number(stdout) };
  }

  close(): void {
    process.off('exit', this.#remove);
    this.#remove();
  }

  async #compile(): Promise<string> {
    const program = join(this.#folder, 'pack');
    await execute('cc', [...FLAGS, '-o', program, SOURCE]);
    return program;
  }
}
