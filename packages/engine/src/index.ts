export type {
  CollectiveBuffer,
  CollectiveCall,
  CollectiveName,
  EngineCommunicator,
  OperatorFunction,
} from './collectives.ts';
export {
  type BufferLike,
  DATATYPES,
  type DatatypeName,
  datatypeName,
  datatypeOfClass,
  FLOAT16_CLASS,
  type TypedArray,
  type TypedArrayClass,
} from './datatypes.ts';
export {
  ANY_SOURCE,
  ANY_TAG,
  type Arrival,
  type EndListener,
  type Engine,
  type MatchedMessage,
  MODE,
  type Owed,
  type PendingOperation,
  type PendingParts,
  type PendingProbe,
  PROC_NULL,
  type PreparedOperation,
  type ReceivedParts,
  TAG_UB,
  UNDEFINED,
} from './engine.ts';
export { type ErrorCode, type ErrorDetails, MpiError } from './errors.ts';
export {
  Items,
  type Layout,
  type LayoutNode,
  type ListNode,
  type LoopNode,
  type MessageBuffer,
  type RunNode,
} from './layout.ts';
export { OPERATORS, type OperatorName, operatorAllows } from './operators.ts';
