export { type CheckOptions, check, schedulesOf, trace } from './check.ts';
export { type Check, SimulationError } from './error.ts';
export { estimate } from './estimate.ts';
export type { Problem } from './operations.ts';
export { type Prices, priceOf, roundsOf } from './price.ts';
export type { Trace } from './run.ts';
export { type Traffic, totalOf, trafficOf } from './traffic.ts';
