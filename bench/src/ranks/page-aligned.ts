/** WebAssembly is in every Node, but not among the types this project compiles against. */
declare const WebAssembly: {
  Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

const WASM_PAGE = 65_536;
const WASM_PAGES_MAX = 65_536;

const HUGE_PAGE = 2 * 1024 * 1024;
/** From here on the engine puts buffers that are used again and again on huge pages. */
const LARGE = 512 * 1024;

/**
 * Memory that begins on a page, as the buffers of C benchmarks do. JavaScript cannot see an address, and an ordinary
 * ArrayBuffer begins 16 bytes into a page where malloc maps it and anywhere where it does not; the memory of a
 * WebAssembly instance is mapped by V8 itself and always begins on a page.
 *
 * Large ones lie in the middle of more memory, as the arrays of a program with a large heap do, so that the huge pages
 * they reach into can be had; the engine's counter `hugePages` says whether they were.
 */
export function pageAligned(bytes: number): Uint8Array {
  const margin = bytes >= LARGE ? HUGE_PAGE : 0;
  const pages = Math.max(1, Math.ceil((bytes + 2 * margin) / WASM_PAGE));
  if (pages <= WASM_PAGES_MAX) {
    try {
      const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
      return new Uint8Array(buffer, margin, bytes);
    } catch (error) {
      // V8 reserves gigabytes of addresses for it, which a limit on them (ulimit -v) may refuse.
      if (!(error instanceof RangeError)) throw error;
    }
  }
  // At such a size 16 bytes beside the page matter to nothing.
  return new Uint8Array(bytes);
}
