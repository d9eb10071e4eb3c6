import { expect, test } from 'vitest';
import type { Deployment } from '../file/resolve.ts';
import { withContext } from './route-context.ts';

function deployment(name: string, engine: Record<string, unknown>): Deployment {
  return { name, engine: { kind: 'x', ...engine } } as unknown as Deployment;
}

test('a route takes what the least of its deployments takes, and is silent where one of them is', () => {
  const deployments = [
    deployment('small', { context: 2048 }),
    deployment('large', { context: 8192 }),
    deployment('cloud', { url: 'https://llm.example.com' }),
  ];
  const routes = [['large'], ['small', 'large'], ['large', 'cloud']].map((names) => ({
    name: names.join(),
    to: names.map((name) => ({ deployment: name, weight: 1 })),
    aliasOf: null,
  }));
  const contexts = withContext(routes, deployments).map(({ context }) => context);
  expect(contexts).toEqual([8192, 2048, null]);
});
