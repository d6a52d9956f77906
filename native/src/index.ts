export type {
  Binding,
  Cause,
  Job,
  JobEvent,
  LaunchOptions,
} from './binding.ts';
export { startEngine } from './engine.ts';
export { loadBinding } from './load.ts';
