import { readFileSync } from 'node:fs';

const HELP = `Usage: onecopy COMMAND [arguments]

  run      start a program as several ranks: onecopy run -n 4 program.ts
  bench    measure: onecopy bench pingpong -n 2
  doctor   say whether ranks can copy straight from each other here, and what to do if not

onecopy COMMAND --help says more about a command; --version shows the version.
`;

/** Each loads what it needs only when it is asked for: starting a job must not wait for the rest. */
const COMMANDS: Readonly<Record<string, (args: string[]) => Promise<number>>> = {
  async run(args) {
    const { run } = await import('@onecopy/launcher');
    const code = await run(args, new URL('./index.js', import.meta.url).href);
    // All has been written; an open terminal and Node's own leave-taking would only take time.
    process.exit(code);
  },

  async bench(args) {
    const bench = await import('@onecopy/bench');
    return bench.main(args);
  },

  async doctor(args) {
    const { doctor } = await import('@onecopy/launcher/doctor');
    return doctor(args, new URL('../package.json', import.meta.url));
  },
};

/** The `onecopy` command with these arguments; the result is its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const [command, ...args] = argv;
  if (command === undefined) {
    process.stderr.write(HELP);
    return 2;
  }
  if (command === '--help' || command === '-h' || command === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  if (command === '--version') {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  if (Object.hasOwn(COMMANDS, command)) return COMMANDS[command]!(args);
  process.stderr.write(`onecopy: ${await complaint(command)}\n`);
  return 2;
}

async function complaint(command: string): Promise<string> {
  const { nearest } = await import('@onecopy/launcher');
  const kind = command.startsWith('-') ? 'option' : 'command';
  const meant = nearest(command, [...Object.keys(COMMANDS), '--help', '--version']);
  if (meant !== undefined) return `There is no ${kind} ${command}: did you mean ${meant}?`;
  return `There is no ${kind} ${command}: to run a program, onecopy run -n 4 program.ts`;
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
