import { ANY_TAG, type DatatypeName, PROC_NULL, type TypedArrayClass } from '@onecopy/engine';
import { wrongDatatype } from './arguments.ts';
import { BYTE, type DatatypeArgument, datatypeNameOf, datatypeOf } from './datatypes.ts';

/** What was received, or what a probe found (MPI-4.1 section 3.2.5). */
export class Status {
  /** Rank of the sender in the communicator of the call; `PROC_NULL` if there was none. */
  readonly source: number;
  readonly tag: number;
  /** Length of the message in bytes; the receive buffer may be longer. */
  readonly bytes: number;
  /** Element type that the sender gave it. */
  readonly type: DatatypeName;

  /** @internal */
  constructor(source: number, tag: number, bytes: number, typeCode: number) {
    this.source = source;
    this.tag = tag;
    this.bytes = bytes;
    this.type = datatypeNameOf(typeCode);
  }

  /**
   * The number of elements of a type that the message holds (MPI_Get_count, MPI-4.1 section 3.2.5).
   *
   * @param type a typed-array class such as `Float64Array`, or a datatype such as `DOUBLE` or `'DOUBLE'`
   * @returns undefined if the message is not a whole number of elements
   * @throws MpiError `ERR_TYPE` if `type` is none of these
   */
  count(type: TypedArrayClass | typeof Buffer | DatatypeArgument): number | undefined {
    const { bytes } = datatypeOf(type) ?? wrongDatatype('count', type);
    return this.bytes % bytes === 0 ? this.bytes / bytes : undefined;
  }
}

/** What receiving from nobody gives (MPI-4.1 section 3.11). */
export function statusOfNobody(): Status {
  return new Status(PROC_NULL, ANY_TAG, 0, BYTE.code);
}
