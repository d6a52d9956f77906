import { basename, extname } from 'node:path';

const SYMPTOM = 'Top-level await is currently not supported';

/** Longer than any path before the symptom, which may come in two pieces. */
const LOOKED_BACK = 8192;

/**
 * Recognises, in what a rank writes to stderr, that tsx could not translate top-level await: it takes a .ts file for
 * CommonJS where no package.json says otherwise, and does not say what to do about it.
 */
export class TopLevelAwait {
  #tail = '';
  #file: string | undefined;

  look(chunk: Buffer): void {
    if (this.#file !== undefined) return;
    const text = this.#tail + chunk.toString('latin1');
    if (text.includes(SYMPTOM)) {
      const found = new RegExp(`^(.*):\\d+:\\d+: ERROR: ${SYMPTOM}`, 'm').exec(text);
      if (found?.[1] !== undefined) this.#file = Buffer.from(found[1], 'latin1').toString();
    }
    this.#tail = text.slice(-LOOKED_BACK);
  }

  /** What to do, if it has happened. */
  get advice(): string | undefined {
    if (this.#file === undefined) return undefined;
    const name = basename(this.#file);
    const extension = extname(name);
    const module = extension.includes('t') ? '.mts' : '.mjs';
    const renamed = name.slice(0, name.length - extension.length) + module;
    return `${name} uses await at its top level, which only modules may: put "type": "module" into its package.json, or rename it to ${renamed}`;
  }
}
