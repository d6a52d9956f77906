import type { Engine } from '@onecopy/engine';
import type { Group } from '../group.ts';

/** Where a collective runs: the members, and the context in which no message of the user can get in between. */
export interface Site {
  readonly engine: Engine;
  readonly group: Group;
  readonly context: number;
}
