import { expect, test } from 'vitest';
import { fallbackFaults } from './fallback-checks.ts';
import { readTree } from '../file/tree.ts';

function faultsOf(...routes: readonly string[]): string[] {
  const text = ['deployments: {a: {}, b: {}}', 'gateway:', '  routes:', ...routes.map((one) => `    ${one}`)];
  const { tree, faults } = readTree('berth.yaml', text.join('\n'));
  expect(faults).toEqual([]);
  return tree === null
    ? []
    : fallbackFaults(tree).map((one) => `${one.line}:${one.column} ${one.path}: ${one.message}`);
}

test('a fallback may name a route, a deployment or an alias', () => {
  expect(
    faultsOf(
      'x: {to: a, fallback: [y, b, nick]}',
      'y: {to: b, aliases: [nick]}',
      'z: {to: a, fallback: {to: [x], on: [full]}}',
    ),
  ).toEqual([]);
});

test('a fallback that is not there is told where it stands', () => {
  expect(faultsOf('x: {to: a, fallback: [b, c]}')).toEqual([
    '4:30 gateway.routes.x.fallback.1: There is no route or deployment "c".',
  ]);
});

test('each link of a loop is told where it stands, the links into it are not', () => {
  expect(
    faultsOf(
      'x: {to: a, fallback: {to: [y]}}',
      'y: {to: b, aliases: [nick], fallback: [z]}',
      'z: {to: a, fallback: [x]}',
      'into: {to: a, fallback: [nick]}',
    ),
  ).toEqual([
    '4:32 gateway.routes.x.fallback.to.0: The fallback "y" leads back to the route "x".',
    '5:44 gateway.routes.y.fallback.0: The fallback "z" leads back to the route "y".',
    '6:27 gateway.routes.z.fallback.0: The fallback "x" leads back to the route "z".',
  ]);
  expect(faultsOf('x: {to: a, aliases: [self], fallback: [self]}')).toHaveLength(1);
});
