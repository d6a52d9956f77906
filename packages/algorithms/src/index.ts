export type { Algorithm, CollectiveName, Situation } from './algorithm.ts';
export {
  counted,
  even,
  listed,
  placed,
  region,
  ring,
  ScheduleBuilder,
  sideOf,
  split,
} from './builder.ts';
export { algorithmsOf, COLLECTIVES, choose, findAlgorithm } from './choose.ts';
export * from './schedule.ts';
