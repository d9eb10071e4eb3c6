import type { MetricFamily } from '../stats/prometheus.ts';

/** Clients counted of one route; later ones are not. */
const mostUnits = 100_000;

/** How many different clients were dealt to each arm of the routes with a split. */
export class SplitUnits {
  readonly #routes = new Map<string, { seen: number; arms: Map<string, Set<number>> }>();

  /** False: it is one too many to be counted. */
  note(route: string, deployment: string, hash: number): boolean {
    let counted = this.#routes.get(route);
    if (!counted) this.#routes.set(route, (counted = { seen: 0, arms: new Map() }));
    let arm = counted.arms.get(deployment);
    if (!arm) counted.arms.set(deployment, (arm = new Set()));
    if (arm.has(hash)) return true;
    if (counted.seen >= mostUnits) return false;
    arm.add(hash);
    counted.seen += 1;
    return true;
  }

  families(): MetricFamily[] {
    return [
      {
        kind: 'gauge',
        name: 'berth_gateway_split_units',
        help: 'Different clients that a split has dealt to a deployment, those that say who they are.',
        samples: [...this.#routes].flatMap(([model, { arms }]) =>
          [...arms].map(([deployment, units]) => ({ labels: { model, deployment }, value: units.size })),
        ),
      },
    ];
  }
}
