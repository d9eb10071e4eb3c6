import type { GatewayConfig } from '../../domain/gateway-config.ts';
import type { PolicyChoice } from '../../domain/routing.ts';
import { askOf, asksNothing } from '../front/ask.ts';
import type { Asker } from '../front/ask.ts';
import { uncounted } from '../limits/cache-tokens.ts';
import type { CacheTokens } from '../limits/cache-tokens.ts';
import type { Choice } from './balance.ts';
import { readsNothing } from '../policies/contract.ts';
import { createBalancer } from '../policies/registry.ts';

/** The balancers of a config: one for each deployment, and one for each deployment of a route with a policy of its own. */
export interface Balancers {
  /** How a request of that route that says nothing of itself chooses among the instances of that deployment. */
  readonly choice: (route: string, deployment: string) => Choice;
  readonly all: () => readonly NamedBalancer[];
}

export interface NamedBalancer {
  /** Null: of the deployment itself, for all routes that have no policy of their own. */
  readonly route: string | null;
  readonly deployment: string;
  readonly kind: string;
  readonly choice: Choice;
  /** The options and whether there are other gateways, as text: what is the same keeps its balancer over a reload, with all that it remembers. */
  readonly options: string;
}

const usual = { kind: 'least-loaded' };

/** For requests that have no deployment yet. */
export const plainChoice: Choice = {
  ...uncounted,
  balancer: createBalancer(usual, Math.random),
  ask: asksNothing,
};

/** How one request chooses; where nobody wants to know anything of it, the one choice of all requests. */
export function choiceOf(usually: Choice, asker: Asker, { tokens, answer }: CacheTokens): Choice {
  const { balancer } = usually;
  if (balancer.reads === readsNothing) return tokens === 0 ? usually : { ...usually, tokens, answer };
  return { tokens, answer, balancer, ask: askOf(balancer.reads, asker) };
}

/** The same choice, but for one instance that is taken whenever it has room. */
export function preferring(id: string, choice: Choice): Choice {
  const { balancer } = choice;
  return {
    ...choice,
    holder: id,
    balancer: {
      reads: balancer.reads,
      pick: (open, ask, alive) => open.find((one) => one.id === id) ?? balancer.pick(open, ask, alive),
    },
  };
}

/** Aliases share the balancer of the route they stand for. Balancers whose options stay are taken over from `previous`. */
export function buildBalancers(config: GatewayConfig, previous: Balancers | null): Balancers {
  const kept = new Map(previous?.all().map((one) => [`${nameOf(one)} ${one.options}`, one]));
  const made = new Map<string, NamedBalancer>();
  // Gateways that share a store stand before the same instances; whether another one is up now may change at any moment.
  const beside = (config.quotas?.sharedUrlFile ?? null) !== null;
  function add(route: string | null, deployment: string, policy: PolicyChoice): void {
    const named = { route, deployment, kind: policy.kind, options: JSON.stringify([policy, beside]) };
    const same = kept.get(`${nameOf(named)} ${named.options}`);
    const choice = same?.choice ?? {
      ...uncounted,
      balancer: createBalancer(policy, Math.random, beside),
      ask: asksNothing,
    };
    made.set(nameOf(named), { ...named, choice });
  }
  for (const { name, aliasOf, policy, to, shadow } of config.routes)
    for (const { deployment } of shadow ? [...to, shadow] : to) {
      add(null, deployment, config.policies?.[deployment] ?? usual);
      if (policy && aliasOf === null) add(name, deployment, policy);
    }
  return {
    choice: (route, deployment) =>
      (made.get(nameOf({ route, deployment })) ?? made.get(nameOf({ route: null, deployment })))?.choice ??
      plainChoice,
    all: () => [...made.values()],
  };
}

function nameOf(one: { route: string | null; deployment: string }): string {
  return JSON.stringify([one.route, one.deployment]);
}
