// Starts another Node with the given arguments, as npx and test runners do, and ends as it does.
import { spawn } from 'node:child_process';

const child = spawn(process.execPath, process.argv.slice(2), { stdio: 'inherit' });
child.on('exit', (code, signal) => process.exit(signal === null ? code : 1));
