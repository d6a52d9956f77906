import {
  ANY_SOURCE,
  ANY_TAG,
  type MatchedMessage,
  MpiError,
  PROC_NULL,
  type TypedArray,
  type TypedArrayClass,
} from '@onecopy/engine';
import { checkSource, checkTagOrAny, wrongDatatype } from '../arguments.ts';
import { basicDatatypeOf, type Fresh } from '../datatypes.ts';
import { type Status, statusOfNobody } from '../status.ts';
import { PersistentMessages } from './persistent.ts';

/** What `recvNew` gives. */
export interface Received<T extends TypedArray> {
  readonly data: Fresh<T>;
  readonly status: Status;
}

/** Where there is no memory for a message that is ours already, its sender must not wait for ever. */
function arrayFor<T extends TypedArray>(
  message: MatchedMessage,
  arrayClass: new (length: number) => T,
  size: number,
): T {
  try {
    return new arrayClass(Math.ceil(message.bytes / size));
  } catch (cause) {
    try {
      message.receive(new Uint8Array(0));
    } catch {
      // ERR_TRUNCATE: the message is consumed, and its sender goes on.
    }
    throw new MpiError(
      'ERR_NO_MEM',
      `recvNew: there is no memory for the ${message.bytes} bytes from rank ${message.source}; the message is lost`,
      { peer: message.source, cause },
    );
  }
}

/** Messages that are looked at before they are received (MPI-4.1 section 3.8). */
export abstract class ProbedMessages extends PersistentMessages {
  /**
   * Blocks until a message that matches is there, and says what it is (MPI_Probe, MPI-4.1 section 3.8.1). The message
   * stays; the next receive that matches gets it.
   */
  probe(source: number = ANY_SOURCE, tag: number = ANY_TAG): Status {
    const from = checkSource('probe', source, this.place());
    const label = checkTagOrAny('probe', tag);
    if (from === PROC_NULL) return statusOfNobody();
    const peer = this.joined().sourceToWorld(from);
    return this.statusOf(this.started().probe(peer, label, this.context));
  }

  /**
   * What `probe` would find now, without waiting (MPI_Iprobe, MPI-4.1 section 3.8.1).
   *
   * @returns undefined if there is no such message yet
   */
  iprobe(source: number = ANY_SOURCE, tag: number = ANY_TAG): Status | undefined {
    const from = checkSource('iprobe', source, this.place());
    const label = checkTagOrAny('iprobe', tag);
    if (from === PROC_NULL) return statusOfNobody();
    const peer = this.joined().sourceToWorld(from);
    const arrival = this.started().iprobe(peer, label, this.context);
    return arrival && this.statusOf(arrival);
  }

  /**
   * Receives a message of unknown length into a new array that it fills (MPI_Mprobe and MPI_Mrecv, MPI-4.1 sections
   * 3.8.2 and 3.8.3). Blocks until the message is there.
   *
   * @param type class of the new array, such as `Float64Array`
   * @throws MpiError `ERR_COUNT` if the message is not a whole number of such elements; it is consumed
   */
  recvNew<T extends TypedArray>(
    type: TypedArrayClass<T>,
    source: number = ANY_SOURCE,
    tag: number = ANY_TAG,
  ): Received<T> {
    const place = this.place();
    const datatype = basicDatatypeOf(type);
    if (!datatype?.isPlain) return wrongDatatype('recvNew', type);
    const { arrayClass, name, bytes: size } = datatype;
    const from = checkSource('recvNew', source, place);
    const label = checkTagOrAny('recvNew', tag);
    if (from === PROC_NULL) {
      return { data: new arrayClass(0) as Fresh<T>, status: statusOfNobody() };
    }
    const peer = this.joined().sourceToWorld(from);
    const message = this.started().mprobe(peer, label, this.context);
    const data = arrayFor(message, arrayClass, size);
    // Into too long an array it still completes for the sender, and a wrong type is the engine's to find.
    message.receive(data);
    const status = this.statusOf(message);
    if (status.bytes % size !== 0) {
      throw new MpiError(
        'ERR_COUNT',
        `recvNew: the message from rank ${status.source} with tag ${status.tag} has ` +
          `${status.bytes} bytes, not a whole number of ${name} elements (${size} bytes each)`,
        { peer: status.source },
      );
    }
    return { data: data as Fresh<T>, status };
  }
}
