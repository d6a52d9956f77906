import { ANY_TAG, type DatatypeName, PROC_NULL, type TypedArrayClass } from '@onecopy/engine';
import { wrongDatatype } from './arguments.ts';
import { BYTE, type DatatypeArgument, datatypeNameOf, datatypeOf } from './datatypes.ts';
import { elementsIn } from './layouts/shape.ts';

/** What was received, or what a probe found (MPI-4.1 section 3.2.5). */
export class Status {
  /** Rank of the sender in the communicator of the call; `PROC_NULL` if there was none. */
  readonly source: number;
  readonly tag: number;
  /** Length of the message in bytes; the receive buffer may be longer. */
  readonly bytes: number;
  /** Element type that the sender gave it; `MIXED` for items of a structure of several types. */
  readonly type: DatatypeName;

  /** @internal */
  constructor(source: number, tag: number, bytes: number, typeCode: number) {
    this.source = source;
    this.tag = tag;
    this.bytes = bytes;
    this.type = datatypeNameOf(typeCode);
  }

  /**
   * The number of elements, or items of a derived datatype, that the message holds (MPI_Get_count, MPI-4.1 section
   * 3.2.5).
   *
   * @param type a typed-array class such as `Float64Array`, or a datatype such as `DOUBLE` or `'DOUBLE'`
   * @returns undefined if the message is not a whole number of them
   * @throws MpiError `ERR_TYPE` if `type` is none of these
   */
  count(type: TypedArrayClass | typeof Buffer | DatatypeArgument): number | undefined {
    const { size } = datatypeOf(type) ?? wrongDatatype('count', type);
    if (size === 0) return this.bytes === 0 ? 0 : undefined;
    return this.bytes % size === 0 ? this.bytes / size : undefined;
  }

  /**
   * The number of basic elements that the message holds, which may end within an item (MPI_Get_elements, MPI-4.1
   * section 5.1.11). A pair such as `DOUBLE_INT` counts as two.
   *
   * @param type the datatype of the receive
   * @returns undefined if the message ends within a basic element
   * @throws MpiError `ERR_TYPE` if `type` is no datatype
   */
  elements(type: TypedArrayClass | typeof Buffer | DatatypeArgument): number | undefined {
    const { shape, size } = datatypeOf(type) ?? wrongDatatype('elements', type);
    if (size === 0) return this.bytes === 0 ? 0 : undefined;
    const items = Math.floor(this.bytes / size);
    const rest = elementsIn(shape.node, this.bytes - items * size);
    return rest === undefined ? undefined : items * shape.node.elements + rest;
  }
}

/** What receiving from nobody gives (MPI-4.1 section 3.11). */
export function statusOfNobody(): Status {
  return new Status(PROC_NULL, ANY_TAG, 0, BYTE.code);
}
