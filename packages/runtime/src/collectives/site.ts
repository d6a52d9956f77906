import type { EngineCommunicator } from '@onecopy/engine';

/** Where a collective runs. */
export interface Site {
  /** Name of the communicator, for messages. */
  readonly name: string;
  readonly rank: number;
  readonly size: number;
  readonly engine: EngineCommunicator;
}
