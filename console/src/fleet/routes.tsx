import type { ReactNode } from 'react';
import type { FleetStatus } from '../../../src/domain/fleet-status.ts';
import { percent } from '../format.ts';
import { hrefOf } from '../route.ts';

type Route = FleetStatus['routes'][number];

/** The names that clients may ask for, and what is behind each. */
export function Routes({ routes }: { routes: readonly Route[] }): ReactNode {
  if (routes.length === 0) return null;
  return (
    <section className="card" aria-labelledby="routes">
      <h2 id="routes">Routes</h2>
      <table className="stacking">
        <caption className="hidden">Model names that the gateway answers</caption>
        <thead>
          <tr>
            <th scope="col">Model name</th>
            <th scope="col">Goes to</th>
            <th scope="col">
              <span className="hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {routes.map((route) => (
            <tr key={route.name}>
              <th scope="row" data-label="Model name">
                <code>{route.name}</code>
              </th>
              <td data-label="Goes to">{destination(route)}</td>
              <td className="number">
                <a className="button small" href={hrefOf({ page: 'playground', model: route.name })}>
                  Try<span className="hidden"> {route.name}</span>
                </a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** "assistant", "assistant 90 %, cloud 10 %", "assistant (alias of mistral)". */
export function destination(route: Route): string {
  const total = route.to.reduce((sum, part) => sum + part.weight, 0);
  const parts = route.to.map((part) =>
    route.to.length === 1 ? part.deployment : `${part.deployment} ${percent(part.weight / total)}`,
  );
  return `${parts.join(', ')}${route.aliasOf === null ? '' : ` (alias of ${route.aliasOf})`}`;
}
