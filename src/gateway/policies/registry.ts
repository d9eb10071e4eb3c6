import type { PolicyChoice } from '../../domain/routing.ts';
import type { Balancer, Policy } from './contract.ts';
import { leastLoaded } from './least-loaded.ts';
import { prefixAffinity } from './prefix-affinity.ts';
import { prefixHash } from './prefix-hash.ts';
import { roundRobin } from './round-robin.ts';
import { sticky } from './sticky.ts';

/** Every way of choosing an instance. Add one: write its file beside these, then name it here. */
export const policies = [leastLoaded, roundRobin, prefixAffinity, prefixHash, sticky] as const;

/** What the registry holds, seen without the types of the single entries. */
type AnyPolicy = Pick<Policy, 'kind' | 'options'> & {
  create: (options: never, random: () => number, beside: boolean) => Balancer;
};

/** What is wrong with a policy's options; empty when nothing is. */
export function policyFaults(options: PolicyChoice): string[] {
  const policy = policyOf(options.kind);
  if (!policy) return [`there is no policy "${options.kind}"`];
  const parsed = policy.options.safeParse(options);
  return parsed.success ? [] : parsed.error.issues.map((one) => `${one.path.join('.')}: ${one.message}`);
}

/** A balancer of its own for these options, which have no faults. `beside`: as in the contract. */
export function createBalancer(options: PolicyChoice, random: () => number, beside = false): Balancer {
  const policy = policyOf(options.kind);
  if (!policy) throw new Error(`There is no policy "${options.kind}".`);
  return policy.create(policy.options.parse(options) as never, random, beside);
}

function policyOf(kind: string): AnyPolicy | undefined {
  return policies.find((one) => one.kind === kind);
}
