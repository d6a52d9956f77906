import type { Cause, JobEvent } from '@onecopy/native';

/**
 * Says, in one sentence, why a job ended before its time; undefined where the user knows it already. `cutShort`: other
 * ranks were still running then.
 */
export function reportOf(cause: Cause, cutShort: boolean): string | undefined {
  const who = `rank ${cause.rank} (pid ${cause.pid})`;
  const others = cutShort ? '; the other ranks were ended' : '';
  switch (cause.kind) {
    case 'exit':
      return `${who} exited with code ${cause.exitCode}${others}`;
    case 'signal':
      return `${who} was killed by ${cause.signal ?? 'a signal'}${others}`;
    case 'abort':
      return `${who} called abort with code ${cause.exitCode}${inBrackets(cause.text)}${others}`;
    case 'uncaught':
      return `${who} died of an error that nobody caught${inBrackets(cause.text)}${others}`;
    case 'interrupted':
      // What the system says for a program that a broken pipe ends is nothing.
      if (cause.signal === 'SIGPIPE') return undefined;
      return `${cause.signal ?? 'a signal'} ended the job`;
    case 'guardian':
      return 'the program that started this job has ended, and the job with it';
  }
}

/** The first line: the rank itself has written the rest to its stderr. */
function inBrackets(text: string | undefined): string {
  const line = text?.trim().split('\n', 1)[0] ?? '';
  return line === '' ? '' : ` (${line})`;
}

/** What happens in a job, for those who want to follow it; undefined where another event says it. */
export function storyOf(event: JobEvent): string | undefined {
  switch (event.type) {
    case 'note':
      return event.text;
    case 'exit': {
      const how =
        event.signal === null ? `exited with code ${event.code}` : `was killed by ${event.signal}`;
      return `rank ${event.rank} (pid ${event.pid}) ${how}`;
    }
    case 'abort': {
      const what = event.uncaught
        ? 'dies of an error that nobody caught'
        : `calls abort with code ${event.code}`;
      return `rank ${event.rank} (pid ${event.pid}) ${what}${inBrackets(event.text)}`;
    }
    case 'ending':
      return 'the job begins to end';
    case 'end':
      return undefined;
  }
}
