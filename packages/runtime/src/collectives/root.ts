import { MpiError } from '@onecopy/engine';
import { isRank, show } from '../arguments.ts';
import type { Site } from './site.ts';

export function checkRoot(call: string, root: unknown, { name, size }: Site): number {
  if (isRank(root, size)) return root;
  throw new MpiError(
    'ERR_RANK',
    `${call}: root ${show(root)} is not a rank of ${name}, which has ` +
      `${size === 1 ? 'rank 0 only' : `ranks 0 to ${size - 1}`}`,
    typeof root === 'number' ? { peer: root } : {},
  );
}

/** Refuses arguments beyond the last; gives the site back. */
export function checkNothingMore(call: string, more: readonly unknown[], site: Site): Site {
  const extra = more.find((value) => value !== undefined);
  if (extra === undefined) return site;
  throw new MpiError(
    'ERR_ARG',
    `${call}: there is an argument too many, ${show(extra)}. Collective operations take no options: ` +
      'for a time limit use the form that returns a request, and wait({ timeout })',
  );
}
