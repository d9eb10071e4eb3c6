import { concurrent } from './concurrent.ts';
import { synchronous } from './synchronous.ts';

/** Every load profile. Add one: write its file beside these, then name it here. */
export const profiles = [synchronous, concurrent] as const;

export type ProfileKind = (typeof profiles)[number]['kind'];
