export { run } from './run.ts';
export { nearest, UsageError } from './usage.ts';
