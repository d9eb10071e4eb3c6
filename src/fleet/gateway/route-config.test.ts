import { expect, test } from 'vitest';
import { Route } from '../../domain/gateway-config.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { policyFaults } from '../../gateway/policies/registry.ts';
import { localWorld } from '../../io/local-world.ts';
import { routesOf } from './gateway-config.ts';
import { loadFleet } from '../file/load.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/** From the words of the fleet file to those of the gateway. */

const deployments = ['a', 'b', 'c'].map(
  (name) => `  ${name}: {engine: {kind: openai, url: "https://${name}.example.com/v1", servedModel: x}}`,
);

async function load(routes: readonly string[]): Promise<LoadedFleet> {
  const text = ['version: 1', 'fleet: f', 'deployments:', ...deployments, 'gateway:', '  routes:', ...routes];
  const world = localWorld();
  const file = '/fleet/berth.yaml';
  async function read(path: string): Promise<string | null> {
    return path === file ? text.join('\n') : null;
  }
  const files = { ...world.files, read };
  return loadFleet({ ...world, files }, { files: [file], cwd: '/fleet' });
}

test('all that a route may say reaches the gateway in its own words, for aliases too', async () => {
  const loaded = await load([
    '    chat:',
    '      to: {a: 3, b: 1}',
    '      aliases: [gpt]',
    '      policy: {kind: sticky, by: key}',
    '      split: {by: {header: X-Talk}, salt: s}',
    '      priority: low',
    '      shadow: {to: c}',
    '      fallback: [c]',
    '    plain: {to: c, fallback: {to: [chat], on: [deadline]}}',
  ]);
  const routes = routesOf(loaded);
  for (const route of routes) expect(Route.parse(route)).toEqual(route);
  const [chat, gpt] = ['chat', 'gpt'].map((name) => routes.find((route) => route.name === name));
  expect(chat).toMatchObject({
    to: [
      { deployment: 'a', weight: 3 },
      { deployment: 'b', weight: 1 },
    ],
    policy: { kind: 'sticky', by: 'key' },
    split: { by: { header: 'X-Talk' }, salt: 's' },
    priority: 'low',
    shadow: { deployment: 'c', percent: 100 },
    fallback: { to: ['c'], on: ['unreachable', 'full'] },
  });
  expect(gpt).toEqual({ ...chat, name: 'gpt', aliasOf: 'chat' });
  expect(routes.find((route) => route.name === 'plain')?.fallback).toEqual({
    to: ['chat'],
    on: ['deadline'],
  });
  expect(policyFaults(chat?.policy ?? { kind: '' })).toEqual([]);
});

test('what a route may not say is told where it stands, all at once', async () => {
  const found = await load([
    '    chat:',
    '      to: a',
    '      policy: {kind: prefix-affinity, loadFactor: 0.5}',
    '      shadow: {to: d, percent: 0}',
    '      fallback: [chat, d]',
    '      priority: urgent',
  ]).then(
    () => [],
    (error: unknown) => {
      if (!(error instanceof BerthError)) throw error;
      const { faults } = (error as BerthError<'CONFIG_INVALID'>).facts;
      return faults.map((one) => `${one.line} ${one.path}`);
    },
  );
  expect(found).toEqual([
    '11 gateway.routes.chat.policy.loadFactor',
    '12 gateway.routes.chat.shadow.to',
    '12 gateway.routes.chat.shadow.percent',
    '13 gateway.routes.chat.fallback.0',
    '13 gateway.routes.chat.fallback.1',
    '14 gateway.routes.chat.priority',
  ]);
});
