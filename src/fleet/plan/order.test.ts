import { expect, test } from 'vitest';
import type { Action, Plan } from '../../domain/plan.ts';
import { inOrder, parts, successorOf } from './order.ts';

function action(kind: Action['do'], deployment: string, host: string, port: number, gpus = [0, 0]): Action {
  const place = { address: '127.0.0.1', port };
  const [now = 0, then = 0] = gpus;
  const devices = { vendor: then === 0 ? 'none' : 'nvidia', count: then };
  return {
    do: kind,
    deployment,
    replica: 0,
    host,
    reasons: [],
    running: { ...place, ...(now === 0 ? {} : { gpus: now }) },
    wanted: { ...place, spec: { devices } },
  } as unknown as Action;
}

const hosts: Plan['hosts'] = {
  here: { become: 'none' },
  also: { become: 'sudo' },
  far: { become: 'none', ssh: 'far' },
};

function order(...actions: Action[]): string[] {
  return inOrder({ actions, hosts }).map((one) => `${one.do} ${one.deployment} ${one.host}`);
}

test('what ends comes first, but an engine that moves to another host ends once it serves there', () => {
  expect(
    order(
      action('start', 'a', 'far', 1),
      action('replace', 'b', 'here', 2),
      action('stop', 'a', 'here', 1),
      action('stop', 'c', 'here', 3),
      action('keep', 'd', 'here', 4),
    ),
  ).toEqual(['stop c here', 'replace b here', 'start a far', 'stop a here']);
});

test('of those that are replaced, who gives up a GPU comes before who is to have it', () => {
  expect(
    order(
      action('replace', 'a', 'here', 1, [0, 1]),
      action('replace', 'b', 'here', 2),
      action('replace', 'c', 'here', 3, [2, 1]),
      action('start', 'd', 'here', 4),
    ),
  ).toEqual(['replace c here', 'replace b here', 'replace a here', 'start d here']);
});

test('where another engine waits for the port of one that moves, by whatever name of that machine, that one moves first', () => {
  expect(
    order(action('start', 'b', 'also', 1), action('start', 'a', 'far', 1), action('stop', 'a', 'here', 1)),
  ).toEqual(['start a far', 'stop a here', 'start b also']);
});

test('where two wait for the ports of each other, both end first, and only those', () => {
  const actions = [
    action('start', 'a', 'far', 2),
    action('start', 'b', 'here', 1),
    action('stop', 'a', 'here', 1),
    action('stop', 'b', 'far', 2),
    action('start', 'c', 'far', 3),
    action('stop', 'c', 'here', 3),
  ];
  expect(order(...actions)).toEqual([
    'stop a here',
    'stop b far',
    'start a far',
    'start b here',
    'start c far',
    'stop c here',
  ]);
  const stops = actions.filter((one) => one.do === 'stop');
  expect(stops.filter((one) => parts({ actions, hosts }, one)).map((one) => one.deployment)).toEqual([
    'a',
    'b',
  ]);
});

test('who serves instead is the same replica that starts or stays, and nobody else', () => {
  const stop = action('stop', 'a', 'here', 1) as Parameters<typeof successorOf>[1];
  const start = action('start', 'a', 'far', 1);
  expect(successorOf([stop, { ...start, replica: 1 }, start], stop)).toBe(start);
  expect(successorOf([stop, action('keep', 'b', 'here', 2)], stop)).toBeNull();
});
