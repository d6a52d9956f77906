export {
  ANY_SOURCE,
  ANY_TAG,
  type BufferLike,
  type DatatypeName,
  type ErrorCode,
  MpiError,
  PROC_NULL,
  TAG_UB,
  type TypedArray,
  type TypedArrayClass,
  UNDEFINED,
} from '@onecopy/engine';

import { keepOutput } from './output.ts';

export { alloc } from './alloc.ts';
export type { BlockingOptions } from './arguments.ts';
export type { BufferArgument, DescribedBuffer } from './buffers.ts';
export { type BlocksArgument, IN_PLACE, type InPlace } from './collectives/operand.ts';
export { CartCommunicator, Communicator, DistGraphCommunicator } from './communicator.ts';
export { CONGRUENT, type Comparison, IDENT, SIMILAR, UNEQUAL } from './comparison.ts';
export {
  BasicDatatype,
  type BasicDatatypeName,
  BFLOAT16,
  BYTE,
  COMPLEX,
  Datatype,
  type DatatypeArgument,
  DOUBLE,
  DOUBLE_COMPLEX,
  DOUBLE_INT,
  FLOAT,
  FLOAT_INT,
  FLOAT16,
  type Fresh,
  INT8_T,
  INT16_T,
  INT32_T,
  INT64_T,
  LONG_INT,
  SHORT_INT,
  type SubarrayOptions,
  TWO_INT,
  UINT8_CLAMPED,
  UINT16_T,
  UINT32_T,
  UINT64_T,
} from './datatypes.ts';
export {
  finalized,
  initialized,
  libraryVersion,
  MPI_SUBVERSION,
  MPI_VERSION,
  processorName,
  wtick,
} from './environment.ts';
export { Group, type RankRange } from './group.ts';
export type { AwaitableOptions } from './limits.ts';
export type { AttributeKey, KeyOptions } from './management/attributes.ts';
export type { ObjectCodec } from './objects/codec.ts';
export {
  BAND,
  BOR,
  BXOR,
  type CombineFunction,
  LAND,
  LOR,
  LXOR,
  MAX,
  MIN,
  Op,
  type OpOptions,
  PROD,
  SUM,
} from './operators.ts';
export { pack, packSize, unpack } from './packing.ts';
export { PersistentRequest, type Rounds, startAll } from './persistent.ts';
export { Message, type Received } from './point-to-point/message.ts';
export type { MessagesOptions } from './point-to-point/message-stream.ts';
export type {
  ObjectOptions,
  ObjectSendOptions,
  ObjectStartOptions,
  ReceivedObject,
} from './point-to-point/objects.ts';
export { Request, type WaitOptions } from './request.ts';
export { Status } from './status.ts';
export type { AdjacentOptions, CartOptions, DistGraphOptions } from './topologies/creation.ts';
export type { Neighbors, NeighborsCount } from './topologies/graph.ts';
export { dimsCreate, type Shift } from './topologies/grid.ts';
export { VERSION } from './version.ts';
export { testAll, type Values, waitAll } from './waiting/all.ts';
export {
  type AnyValue,
  type Completed,
  testAny,
  testSome,
  waitAny,
  waitSome,
} from './waiting/some.ts';
export { abort, counters, self, WTIME_IS_GLOBAL, world, wtime } from './world.ts';

keepOutput();
