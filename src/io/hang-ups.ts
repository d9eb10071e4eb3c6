import { latch } from './latch.ts';
import type { Latch } from './latch.ts';

/** SIGHUP, which ends this process no more. */
export type HangUps = Pick<Latch, 'listen'>;

/** From this call on, and to the end of the process: one that comes before or after somebody listens must not end it either. */
export function takeHangUps(): HangUps {
  const came = latch();
  process.on('SIGHUP', came.tell);
  return came;
}
