/** WebAssembly is in every Node, but not among the types this project compiles against. */
declare const WebAssembly: {
  Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

const WASM_PAGE = 65_536;
const WASM_PAGES_MAX = 65_536;

/**
 * Memory that begins on a page, as the buffers of C benchmarks do. JavaScript cannot see an address, and an ordinary
 * ArrayBuffer begins 16 bytes into a page where malloc maps it and anywhere where it does not; the memory of a
 * WebAssembly instance is mapped by V8 itself and always begins on a page.
 */
export function pageAligned(bytes: number): Uint8Array {
  const pages = Math.max(1, Math.ceil(bytes / WASM_PAGE));
  if (pages <= WASM_PAGES_MAX) {
    try {
      const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
      return new Uint8Array(buffer, 0, bytes);
    } catch (error) {
      // V8 reserves gigabytes of addresses for it, which a limit on them (ulimit -v) may refuse.
      if (!(error instanceof RangeError)) throw error;
    }
  }
  // At such a size 16 bytes beside the page matter to nothing.
  return new Uint8Array(bytes);
}
