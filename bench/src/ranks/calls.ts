/** Calls that not every version of onecopy has. */
import * as runtime from '@onecopy/runtime';
import { Unavailable } from './memory.ts';

const { world } = runtime;

export interface ObjectCalls {
  sendObject(value: unknown, dest: number, tag: number): void;
  recvObject(source: number, tag: number): unknown;
}

export function objectCalls(): ObjectCalls {
  const { sendObject, recvObject } = world as Partial<ObjectCalls>;
  if (sendObject === undefined || recvObject === undefined) {
    throw new Unavailable('this version of onecopy has no sendObject');
  }
  return { sendObject: sendObject.bind(world), recvObject: recvObject.bind(world) };
}

interface DatatypeCalls {
  vector(
    count: number,
    blocklength: number,
    stride: number,
    type: runtime.Datatype,
  ): runtime.Datatype;
}

/** `count` blocks of so many doubles, their beginnings so many doubles apart. */
export function vectorOfDoubles(count: number, block: number, stride: number): runtime.Datatype {
  const { vector } = runtime.Datatype as Partial<DatatypeCalls>;
  if (vector === undefined) {
    throw new Unavailable('this version of onecopy has no derived datatypes');
  }
  return vector.call(runtime.Datatype, count, block, stride, runtime.DOUBLE);
}
