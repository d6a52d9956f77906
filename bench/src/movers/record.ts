/** What moves bytes, in the order in which the program measures it. */
export const MOVERS: Readonly<Record<string, string>> = {
  'cma-read': 'the receiver copies out of the sender (process_vm_readv)',
  'cma-write': 'the sender copies into the receiver (process_vm_writev)',
  'both-sides': 'both at once: the receiver from the front, the sender from the back',
  heap: 'the receiver copies out of memory that was shared from the start (memcpy)',
  'heap-nt': 'the same with stores that go past the cache',
  'double-copy': 'the sender copies into a shared ring, the receiver out of it',
  'proc-mem': 'the receiver reads the file /proc/PID/mem',
  vmsplice: 'the sender lends its pages to a pipe, the receiver reads them out',
  socket: 'a Unix stream socket',
};

/** These need buffers that were allocated as shared; the others take any. */
export const SHARED: ReadonlySet<string> = new Set(['heap', 'heap-nt']);

/** Where the sender may begin with its next message before the receiver has taken this one. */
export const GOES_AHEAD: ReadonlySet<string> = new Set(['double-copy', 'socket']);

export const PATTERNS: Readonly<Record<string, string>> = {
  'one-to-one': 'ping-pong between 2 processes: half a round trip',
  'many-to-one': 'one process receives from all others at the same time',
  'all-to-all': 'each process sends to each other one at the same time',
};

export const PAGES: Readonly<Record<string, string>> = {
  small: 'pages of 4 KiB',
  huge: 'huge pages',
};

export interface Series {
  readonly pattern: string;
  readonly processes: number;
  readonly pages: string;
}

/** One line of `onecopy bench movers --json`: keys are only ever added. */
export interface Measured extends Series {
  readonly mover: string;
  readonly bytes: number;
  /** Per message that a process receives; median over the rounds. */
  readonly us: number;
  readonly minUs: number;
  /** Of all messages together. */
  readonly gbPerS: number;
  readonly iterations: number;
  readonly rounds: number;
  readonly cache: 'warm' | 'cold';
  /** How much of the payloads' memory was on huge pages, 0 to 1; absent where the kernel does not tell. */
  readonly hugeShare?: number;
  /** Where the processes were pinned; empty where there were more of them than cores. */
  readonly cores: readonly number[];
}

/** The system does not allow it, or does not have it; the others go on. */
export interface Skipped extends Series {
  readonly mover: string;
  readonly skipped: string;
}

export type MoverRecord = Measured | Skipped;
