import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { MoversOptions } from './options.ts';
import type { MoverRecord } from './record.ts';

/** Runs the program; its lines as they come. It dies with this process. */
export async function* measureMovers(
  program: string,
  options: MoversOptions,
  env: NodeJS.ProcessEnv,
): AsyncGenerator<MoverRecord> {
  const child = spawn(program, argumentsOf(options), { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  // Looked at below; a failure to start must not count as unhandled until then.
  closed.catch(() => undefined);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      yield JSON.parse(line) as MoverRecord;
    }
    const [code, signal] = await closed;
    if (code === 0) return;
    const end = signal === null ? `exit code ${code}` : signal;
    throw new Error(complaint.trim() || `the program that measures has ended (${end})`);
  } finally {
    child.kill('SIGKILL');
  }
}

function argumentsOf(options: MoversOptions): string[] {
  return [
    ...['--pattern', options.patterns.join(',')],
    ...['--pages', options.pages.join(',')],
    ...(options.only.length === 0 ? [] : ['--only', options.only.join(',')]),
    ...['--sizes', options.sizes.join(',')],
    ...['--processes', String(options.processes)],
    ...['--seconds', String(options.seconds)],
    ...['--rounds', String(options.rounds)],
    ...['--slice', String(options.slice)],
    ...['--cells', String(options.cells)],
    ...['--cell', String(options.cell)],
    ...(options.offCache ? ['--off-cache'] : []),
  ];
}
