import { concurrent } from './concurrent.ts';
import { constant } from './constant.ts';
import { gamma } from './gamma.ts';
import { poisson } from './poisson.ts';
import { replay } from './replay.ts';
import { sessions } from './sessions.ts';
import { stages } from './stages.ts';
import { sweep } from './sweep.ts';
import { synchronous } from './synchronous.ts';
import { throughput } from './throughput.ts';

/** Every load profile. Add one: write its file beside these, then name it here. */
export const profiles = [
  synchronous,
  concurrent,
  throughput,
  constant,
  poisson,
  gamma,
  stages,
  sweep,
  replay,
  sessions,
] as const;

export type ProfileKind = (typeof profiles)[number]['kind'];
