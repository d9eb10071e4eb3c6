import { hashText } from '../domain/hashing.ts';
import type { MetricFamily } from '../stats/prometheus.ts';

/** Clients counted of one route; later ones are not. */
const mostUnits = 100_000;

/** How many different clients were dealt to each arm of the routes with a split. */
export class SplitUnits {
  readonly #routes = new Map<string, { seen: number; arms: Map<string, Set<number>> }>();

  note(route: string, deployment: string, unit: string): void {
    let counted = this.#routes.get(route);
    if (!counted) this.#routes.set(route, (counted = { seen: 0, arms: new Map() }));
    let arm = counted.arms.get(deployment);
    if (!arm) counted.arms.set(deployment, (arm = new Set()));
    const hash = hashText(unit);
    if (counted.seen >= mostUnits || arm.has(hash)) return;
    arm.add(hash);
    counted.seen += 1;
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
