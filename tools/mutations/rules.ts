import { doorRules } from './door-rules.ts';
import { forwardingRules } from './forwarding-rules.ts';
import type { Mutation } from './mutation.ts';

export const mutations: readonly Mutation[] = [...forwardingRules, ...doorRules];
