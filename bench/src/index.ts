export { type ComparisonPlan, comparisonTable } from './comparison.ts';
export { type LoopPlan, loopsOf, TURN_MS } from './loops.ts';
export { describeMachine } from './machine.ts';
export { main } from './main.ts';
export { ProgressLine } from './progress.ts';
export type { BenchRecord } from './record.ts';
