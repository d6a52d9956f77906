// Starts `onecopy` with the given arguments as npx does, which leaves a variable in the environment.
import { spawn } from 'node:child_process';

const child = spawn(process.argv[2], process.argv.slice(3), {
  stdio: 'inherit',
  env: { ...process.env, npm_command: 'exec' },
});
child.on('exit', (code) => process.exit(code ?? 1));
