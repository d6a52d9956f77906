import { readdirSync, readFileSync } from 'node:fs';
import { parseSize } from './sizes.ts';

const CACHES = '/sys/devices/system/cpu/cpu0/cache';
/** Where the kernel does not tell, as in some virtual machines. */
const USUAL_CACHE = 32 * 2 ** 20;
const PAGE = 4096;
/** More places would be more JavaScript objects than one wants to have beside a measurement. */
const MOST_PLACES = 16_384;
/** Small buffers lie at the front, on a page each; reading what lies behind them takes them out of the cache. */
const SMALL_SHARE = 4;
/** Of the memory that is available, for the buffers of all ranks together. */
const MEMORY_SHARE = 0.5;

export interface OffCache {
  /** What the buffers of a rank walk through. */
  readonly bytes: number;
  readonly cacheBytes: number;
  /** Whether memory did not allow twice the cache. */
  readonly capped: boolean;
}

/** Twice the last-level cache for each rank, as far as there is memory for it. */
export function planOffCache(
  ranks: number,
  cacheBytes: number = lastLevelCacheBytes(),
  availableBytes: number = availableMemory(),
): OffCache {
  const wanted = 2 * cacheBytes;
  const affordable = Math.floor((availableBytes * MEMORY_SHARE) / ranks / PAGE) * PAGE;
  return { bytes: Math.min(wanted, affordable), cacheBytes, capped: affordable < wanted };
}

/** From one place to the next: whole pages. */
export function placeStride(bytes: number): number {
  return Math.ceil(bytes / PAGE) * PAGE;
}

/** How many places of this size a buffer walks through, in an area of so many bytes. */
export function placesFor(bytes: number, areaBytes: number): number {
  const share = bytes <= PAGE ? areaBytes / SMALL_SHARE : areaBytes;
  const count = Math.floor(share / placeStride(bytes));
  return Math.max(2, Math.min(MOST_PLACES, count));
}

/**
 * How many messages of this size a pass may send with each of them cold. Small ones lie so far apart that their places
 * do not fill the cache: where one has been is still in it when its turn comes again.
 */
export function coldMessagesOf(bytes: number, offCacheBytes: number): number {
  return bytes < PAGE ? placesFor(bytes, offCacheBytes / 2) : Number.POSITIVE_INFINITY;
}

/** Said to the user where it is not what the option promises. */
export function describeOffCache({ bytes, cacheBytes, capped }: OffCache): string {
  const area = `buffers of a rank walk through ${megabytes(bytes)}`;
  const cache = `the last-level cache of ${megabytes(cacheBytes)}`;
  return capped
    ? `off-cache: ${area}, and not through twice ${cache}: half of the available memory allows no more`
    : `off-cache: ${area}, twice ${cache}`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** Of the largest cache of the first core, in bytes. */
export function lastLevelCacheBytes(): number {
  try {
    const sizes = readdirSync(CACHES)
      .filter((name) => name.startsWith('index'))
      .map((name) => parseSize(readFileSync(`${CACHES}/${name}/size`, 'utf8')) ?? 0);
    return Math.max(...sizes) || USUAL_CACHE;
  } catch {
    return USUAL_CACHE;
  }
}

/** What the kernel would give without swapping; less where a container is allowed less. */
function availableMemory(): number {
  // Node has it since 20.13, and counts what a control group allows.
  return process.availableMemory?.() ?? meminfo();
}

function meminfo(): number {
  const line = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  return Number(line?.[1] ?? 0) * 1024;
}
