/**
 * The whole contract between TypeScript and C++: every function of the addon, declared by hand. Nothing else loads the
 * `.node` file. The C++ face is `native/addon`, one pair of files per concept, in the order of this file.
 *
 * Operations return 0 or the index of an error in `errorCodes` instead of throwing: the message is made in TypeScript,
 * from `report`, where the caller is known.
 */
import type { BufferLike } from '@onecopy/engine';

export interface Binding {
  readonly protocolVersion: number;
  /** Error codes by number; 0 is success. */
  readonly errorCodes: readonly string[];
  /** Element types: name, code and size in bytes. */
  readonly datatypes: ReadonlyArray<{
    readonly name: string;
    readonly code: number;
    readonly bytes: number;
  }>;
  /** Reduction operators: name, code, and the codes of the element types that they are defined for. */
  readonly operators: ReadonlyArray<{
    readonly name: string;
    readonly code: number;
    readonly types: readonly number[];
  }>;
  /**
   * Instruction sets of the reduction kernels: the one in use, and those of this machine in ascending order. `error`
   * is a sentence, when ONECOPY_ISA asks for one that cannot be had.
   */
  readonly isa: {
    readonly chosen: string;
    readonly supported: readonly string[];
    readonly error?: string;
  };

  // --------------------------------------------------------------------- the rank (addon/engine.cc, addon/waiting.cc)

  /**
   * Joins the job whose control socket is `fd` (its inode must agree), or makes a world of one. Throws an Error with
   * `code`, and `errno` and `syscall` where the system refused something.
   */
  start(control: ControlSocket | undefined): StartInfo;

  /**
   * What the last operation has to say beyond its return value, see `Report`. One array for the life of the engine,
   * written before the operation returns.
   */
  readonly report: Float64Array;

  /**
   * What the calls that name a message take beside its buffer, see `Call`: memory that both sides know, since reading a
   * number that is passed costs Node-API 4 ns. Their result is in `report[Report.result]`, for the same reason.
   */
  readonly call: Int32Array;

  /** Blocks. Result: error number. */
  send(buffer: BufferLike): void;
  /** Blocks. Result: error number; the arrival is in `report`. */
  recv(buffer: BufferLike): void;
  /**
   * Result: 0 when the message is on its way and the buffer free again; a handle > 0, the buffer then being kept in
   * `views[report[Report.slot]]` until the handle is used up; or -error number.
   */
  isend(buffer: BufferLike): void;
  /** Result: 0 when the message was there, the arrival then being in `report`; else as isend(). */
  irecv(buffer: BufferLike): void;
  /**
   * The buffers of sends and receives that are not complete, by slot. The addon looks here before it copies: a script
   * may have transferred the memory away.
   */
  readonly views: unknown[];
  /**
   * Blocks until done or for `timeout` milliseconds (negative: no limit). Result: error number. The handle is used up,
   * unless the error is ERR_TIMEOUT or ERR_DEADLOCK, or ERR_NO_MEM with 1 in `report[Report.result]`.
   */
  wait(handle: number, timeout: number): number;
  /** Result: -1 not done yet, else as wait(). */
  test(handle: number): number;
  /**
   * Blocks until the first `count` of the handles are complete, or for `timeout` milliseconds (negative: no limit). One
   * whose buffer was just seen to be there is passed as it is, others negated; 0 stands for none. Those that have
   * succeeded are used up, and how they ended is in `outcomes`, in so many places each as `Outcome` has; the others,
   * whose type is `TO_BE_ASKED` there, are to be asked. Result: error number (ERR_TIMEOUT, ERR_DEADLOCK,
   * ERR_NO_MEM, ERR_REQUEST), none being used up then, or 0.
   */
  waitAll(handles: Float64Array, outcomes: Float64Array, count: number, timeout: number): number;
  /**
   * The same until at least one of them is complete; 0 milliseconds are one look. The type of those that are not is
   * `GOES_ON`.
   */
  waitSome(handles: Float64Array, outcomes: Float64Array, count: number, timeout: number): number;
  /** Result: 1 when it was taken back (it then completes with ERR_CANCELLED), 0 when it is too late. */
  cancel(handle: number): number;
  /** Keeps the process alive until the handle is done, and then names it to the listener of `onSettled`. */
  watch(handle: number): void;
  /**
   * Called from the event loop with the handles of watched operations that are done, at most `report`-many a turn.
   * The listener uses each up with `test`.
   */
  onSettled(listener: (handles: Float64Array) => void): void;

  // ------------------------------------------------------------------------- persistent requests (addon/persistent.cc)

  /**
   * Keeps what a send takes, from its buffer to what stands in `call`. Result: a handle > 0, the buffer being kept in
   * `views[report[Report.slot]]` until the handle was released and no round goes on; or -error number. A round that
   * goes on has the same handle.
   */
  prepareSend(buffer: BufferLike): void;
  prepareRecv(buffer: BufferLike): void;
  /**
   * Starts a round of the first `count` of the handles, passed as to waitAll(). `outcomes` is as there; the type of one
   * that is not complete at once is `GOES_ON`. Result: 0, or the number of the error that keeps the one at
   * `report[Report.result]` from being started; none is then.
   */
  startAll(handles: Float64Array, outcomes: Float64Array, count: number): number;
  /** Forgets it, now or when its round has ended. */
  release(handle: number): void;

  // ------------------------------------------------------------------------------- messages in parts (addon/parts.cc)

  /** As send(), from several pieces; always an object. */
  sendParts(pieces: readonly BufferLike[]): void;
  /** As isend(); the addon holds the pieces by itself. */
  isendParts(pieces: readonly BufferLike[]): void;
  /** As recv(); returns the parts where the result is 0. */
  recvParts(): ArrayBuffer[];
  /** As irecv(); returns the parts where the result is 0. */
  irecvParts(): ArrayBuffer[];
  /** The parts that an operation of irecvParts() has received, by its handle, after it was used up. Result as recv(). */
  takeParts(handle: number): ArrayBuffer[];
  /** As mrecv(), but the result is in `report`. */
  mrecvParts(message: number): ArrayBuffer[];

  // ------------------------------------------------------------------------------------ probing (addon/probing.cc)

  /** Blocks, as wait() does. Result: error number; the arrival is in `report`. */
  probe(source: number, tag: number, context: number, timeout: number): number;
  /** Result: -1 none, else error number; the arrival is in `report`. */
  iprobe(source: number, tag: number, context: number): number;
  /** Blocks, as wait() does. Result: a message handle > 0, or -error number; the arrival is in `report`. */
  mprobe(source: number, tag: number, context: number, timeout: number): number;
  /** Result: 0 if there is none, else as mprobe(). */
  improbe(source: number, tag: number, context: number): number;
  /**
   * Result: a handle > 0 as isend() gives, or -error number; `report[Report.result]` is 1 if it is complete. Whatever
   * uses it up leaves the message's handle in `report[Report.message]`, and the arrival in its places.
   */
  startProbe(source: number, tag: number, context: number): number;
  /**
   * Blocks; uses the message up, unless something is wrong with the buffer. `report[Report.message]`, where the caller
   * has put the handle, becomes 0 when it does.
   * `mode` as in `Call`. Result: error number; the arrival is in `report`.
   */
  mrecv(message: number, buffer: BufferLike, mode: number): number;
  /** The same without blocking. Result: -error number, or 0, and what irecv() says is in its place. */
  imrecv(message: number, buffer: BufferLike, mode: number): number;

  // ------------------------------------------------------------------------------------ the rank, again

  // ------------------------------------------------------------------------------------ contexts (addon/contexts.cc)

  /** Blocks while the launcher is asked. Result: the first id of so many, or -error number. */
  newContexts(count: number): number;
  /** Members are ranks of the world. Result: error number. */
  nameMembers(first: number, count: number, members: Int32Array): number;
  /** Result: error number. */
  closeContexts(first: number, count: number): number;

  // ------------------------------------------------------------------------------ datatypes (addon/datatypes.cc)

  /** A layout as `layouts.ts` writes it. Result: a handle. Throws for numbers that are no layout. */
  compileLayout(program: Float64Array): number;
  /** Operations that use it keep it. */
  dropLayout(layout: number): void;
  /** Whether so many items name a byte twice. Result: 1 or 0. */
  layoutOverlaps(layout: number, count: number): number;
  /**
   * As send, recv, isend and irecv, for `count` items of a layout from the first byte of the buffer on; their element
   * type is `call[Call.type]`. ERR_DETACHED if they do not lie within the buffer.
   */
  sendItems(buffer: BufferLike, layout: number, count: number): void;
  recvItems(buffer: BufferLike, layout: number, count: number): void;
  isendItems(buffer: BufferLike, layout: number, count: number): void;
  irecvItems(buffer: BufferLike, layout: number, count: number): void;
  /** As prepareSend and prepareRecv. */
  prepareSendItems(buffer: BufferLike, layout: number, count: number): void;
  prepareRecvItems(buffer: BufferLike, layout: number, count: number): void;
  /** As mrecv. */
  mrecvItems(
    message: number,
    buffer: BufferLike,
    layout: number,
    count: number,
    mode: number,
    type: number,
  ): number;
  /** As imrecv. */
  imrecvItems(...call: Parameters<Binding['mrecvItems']>): number;
  /**
   * Copies the data of items into a part of `packed`, or back. Result: error number; ERR_TRUNCATE if there is no room,
   * nothing being copied then.
   */
  pack(
    buffer: BufferLike,
    layout: number,
    count: number,
    packed: Uint8Array,
    position: number,
  ): number;
  unpack(...call: Parameters<Binding['pack']>): number;

  // ---------------------------------------------------------------------- collective operations (addon/collectives.cc)

  /** Members are ranks of the world. Result: a handle > 0 for `collective`, or -error number. */
  openCommunicator(context: number, members: Int32Array): number;
  /** Before its context is closed. */
  closeCommunicator(communicator: number): void;
  /** A schedule as `compile.ts` writes it. Result: a handle. Throws for numbers that are no schedule. */
  compileSchedule(program: Int32Array): number;
  /** Executions that use it keep it. */
  dropSchedule(schedule: number): void;
  /**
   * Two pieces of memory of equal length through which the operands of operators in JavaScript go. Result: error number.
   */
  setOperatorMemory(left: Uint8Array, right: Uint8Array): number;
  /**
   * Executes a schedule and blocks until this rank's part is done. Buffers that this rank does not have are undefined.
   * Counts are in elements; a list holds the count of each block and then its displacement. `operator` is a code or -1;
   * `combine` is an operator in JavaScript instead: it leaves left ∘ right, for so many elements in the operator
   * memory, at the right, and returns a text when it has failed. Result: error number.
   */
  collective(
    communicator: number,
    schedule: number,
    operation: number,
    input: NodeJS.ArrayBufferView | ArrayBuffer | undefined,
    output: NodeJS.ArrayBufferView | ArrayBuffer | undefined,
    inputCount: number,
    outputCount: number,
    inputList: Float64Array | undefined,
    outputList: Float64Array | undefined,
    operator: number,
    combine: ((type: number, count: number) => string | undefined) | undefined,
  ): number;
  /** The same without blocking. Result: a handle > 0, or -error number. */
  icollective(...call: Parameters<Binding['collective']>): number;
  /** What a user's operator said that failed on another rank, after a failure with ERR_OP. */
  failureText(): string;

  /**
   * Completes outstanding sends, then tells the launcher, unless the exit code is a failure. Result: error number, or -1
   * when something is still owed after `timeout` milliseconds (negative: no limit); then it is to be called again.
   */
  leave(exitCode: number, timeout: number): number;
  /** Sends that are not complete, by rank of the world. */
  owed(): ReadonlyArray<{ readonly rank: number; readonly messages: number }>;
  /** Tells the launcher to end the job. Does not wait. */
  abort(code: number, uncaught: boolean, reason: string): void;
  counters(): Record<string, number>;
  /** Seconds of CLOCK_MONOTONIC. */
  wtime(): number;

  // ------------------------------------------------------------------------------------ buffers born shared (addon/heap.cc)

  /** Zeroed memory that peers map and copy from, of so many bytes; or an error number. */
  alloc(bytes: number): ArrayBuffer | number;
  /**
   * Detaches a buffer that alloc() made. Its memory is used again as soon as no operation in flight works on it.
   * Result: 1, or 0 when it was detached already or is freed only with its collection.
   */
  free(buffer: ArrayBuffer): number;

  // ------------------------------------------------------------------------------------ the launcher (addon/job.cc)

  /**
   * Starts the ranks (fork and exec from this thread, which must be the main one) and the thread that watches and
   * brokers. Throws an Error with `errno`, `code` and `syscall` if a rank cannot be started; then none is left.
   * `listener` is called from the event loop, which stays alive until 'end'.
   */
  launch(options: LaunchOptions, listener: (event: JobEvent) => void): Job;
  /** Cores this process may use: affinity mask and cgroup quota, at least 1. */
  usableCores(): number;

  // ------------------------------------------------------------------------------------ the doctor (addon/permission.cc)

  /**
   * What process_vm_readv answers when it is asked for memory of this process: 0 or an errno. Of its own pid a process
   * may read whatever Yama, users and namespaces say; what is refused then is the call itself.
   */
  copyRefusal(pid: number): number;
  /** Does PR_GET_DUMPABLE say 1, so that processes of the same user may read this one? */
  dumpable(): boolean;
}

export interface ControlSocket {
  readonly fd: number;
  /** A 64-bit number as decimal digits, since an inode may exceed 2^53. */
  readonly inode: string;
  readonly jobId: string;
}

export interface StartInfo {
  readonly rank: number;
  readonly size: number;
  readonly launcherPid: number;
  readonly eagerLimit: number;
  readonly cores: number;
  readonly channel: 'socket' | 'ring' | 'none';
}

/** Places in `report`. */
export const Report = {
  source: 0,
  tag: 1,
  bytes: 2,
  type: 3,
  /** Of the system call that failed. */
  errno: 4,
  /** Index in `syscalls`. */
  syscall: 5,
  /** The rank that a failure concerns. */
  peer: 6,
  /**
   * Length of the message and of the buffer, with ERR_TRUNCATE and ERR_COUNT; types, with ERR_TYPE; number and bytes of
   * kept messages, with ERR_NO_MEM, `bytes` of which are from `peer` with `tag`.
   */
  expected: 7,
  actual: 8,
  /** The rank on which a collective operation failed, or -1: on this one. */
  culprit: 9,
  /** Of the calls that name a message. */
  result: 10,
  /** Where in `views` the buffer is to be kept. */
  slot: 11,
  /** A message that was matched. */
  message: 12,
  /** This rank, from the start. */
  rank: 13,
} as const;

/** Places in `call`. */
export const Call = {
  /** Destination or source, a rank of the world or ANY_SOURCE. */
  partner: 0,
  tag: 1,
  context: 2,
  /** The element type's code for what is certainly a typed array (anything else ends the process), or -1. */
  type: 3,
  /** Bits, see `MODE` in packages/engine. */
  mode: 4,
} as const;

/** Places in `outcomes`, of each operation; the first ones of `Report`. */
export const Outcome = {
  source: 0,
  tag: 1,
  bytes: 2,
  type: 3,
  places: 4,
} as const;

/** Types in the outcome of an operation that has not succeeded. */
export const TO_BE_ASKED = -1;
export const GOES_ON = -2;

/** By `report[Report.syscall]`. */
export const SYSCALLS: readonly string[] = [
  '',
  'process_vm_readv',
  'process_vm_writev',
  'sendmsg',
  'recvmsg',
  'memfd_create',
  'fallocate',
];

export interface LaunchOptions {
  readonly ranks: number;
  /** The file to execute (looked up in PATH when it has no slash) and its arguments, without argv[0]. */
  readonly file: string;
  readonly args: readonly string[];
  /** The environment, `NAME=value`. The launcher adds what is different per rank (ONECOPY_*, OMPI_COMM_WORLD_*). */
  readonly env: readonly string[];
  readonly cwd?: string;
  /** From the first failure to SIGKILL, milliseconds; SIGTERM comes at half of it. */
  readonly graceMs: number;
  /** Largest payload that travels with its envelope, bytes; undefined: the default. */
  readonly eagerLimit?: number;
  /** What carries envelopes between ranks; undefined: ring. */
  readonly channel?: 'ring' | 'socket';
  /** Never pull: every large payload is staged (tests). */
  readonly denyPull?: boolean;
  /** How long a waiter spins before it yields, microseconds; undefined: chosen from ranks and cores. */
  readonly spinUs?: number;
  /** What rank 0 reads: this descriptor, or a pipe whose other end is in `Job.stdin`. Other ranks get /dev/null. */
  readonly stdin: number | 'pipe';
  /** Also end the job when one of these processes ends (the npx that started us). */
  readonly guardians?: readonly number[];
}

export interface Job {
  /** Every process of the job carries it in its environment as ONECOPY_JOB. */
  readonly id: string;
  readonly pids: readonly number[];
  /** Read ends of the ranks' output pipes; the caller owns and closes them. */
  readonly stdout: readonly number[];
  readonly stderr: readonly number[];
  /** Write end of rank 0's input, or -1. */
  readonly stdin: number;
  /** Begins to end the job as if a signal had come: `signal` to all groups, SIGTERM, SIGKILL. Again: SIGKILL now. */
  end(signal: number): void;
}

export type JobEvent =
  /** A rank's process is gone. `pid` as spawned. */
  | {
      readonly type: 'exit';
      readonly rank: number;
      readonly pid: number;
      readonly code: number | null;
      readonly signal: string | null;
    }
  /** A rank called abort() or died of an error nobody caught; comes before its 'exit'. */
  | {
      readonly type: 'abort';
      readonly rank: number;
      readonly pid: number;
      readonly code: number;
      readonly uncaught: boolean;
      readonly text: string;
    }
  /** Something worth a line at --verbose. */
  | { readonly type: 'note'; readonly text: string }
  /** The job has begun to end before all ranks were done. */
  | { readonly type: 'ending'; readonly cause: Cause }
  /** No process of the job is left. Last event. `cause` is absent when every rank ended with 0. */
  | { readonly type: 'end'; readonly cause?: Cause };

/** Why a job ended: the first failure. `exitCode` is what the launcher should exit with. */
export interface Cause {
  readonly kind: 'exit' | 'signal' | 'abort' | 'uncaught' | 'interrupted' | 'guardian';
  /** The rank, or -1 when none is to blame. */
  readonly rank: number;
  readonly pid: number;
  readonly exitCode: number;
  /** Name of the signal, for kinds 'signal' and 'interrupted'. */
  readonly signal?: string;
  readonly text?: string;
}
