import { expect, test } from 'vitest';
import type { Action, Plan } from '../../domain/plan.ts';
import { figuresOf, memorySteps, requestsMeanwhile } from './figures.ts';

function action(
  kind: Action['do'],
  deployment: string,
  host: string,
  { port = 1, wanted = 0, beside = false, gpus = 0 } = {},
): Action {
  const object = { target: 'process', id: `${deployment}@${host}`, name: deployment };
  return {
    do: kind,
    deployment,
    replica: 0,
    host,
    reasons: [],
    running: { object, port },
    wanted: { port: wanted || port, spec: { model: `/m/${deployment}`, devices: { count: gpus } } },
    beside,
  } as unknown as Action;
}

function plan(...actions: Action[]): Plan {
  const hosts = { here: { become: 'none' }, far: { become: 'none', ssh: 'far' } };
  return { actions, hosts } as unknown as Plan;
}

const rss: Record<string, number> = { 'a@here': 50, 'b@here': 30 };
const known = {
  rssOf: ({ id }: { id: string }) => rss[id] ?? null,
  gpusOf: ({ id }: { id: string }) => (id === 'a@here' ? 1 : 0),
  modelBytes: (_host: string, path: string) => (path === '/m/new' ? 0 : 40),
  freeBytes: () => 100,
};

test('one that moves takes there what it holds here, and frees it here', () => {
  const moved = plan(action('start', 'a', 'far', { gpus: 1 }), action('stop', 'a', 'here'));
  const none = { takes: [], frees: [] };
  expect(figuresOf(moved, known)).toEqual([
    {
      host: 'far',
      freeBytes: 100,
      takesBytes: 50,
      freesBytes: 0,
      peakBytes: 50,
      gpus: { takes: 1, frees: 0 },
      ports: { ...none, takes: [1] },
    },
    {
      host: 'here',
      freeBytes: 100,
      takesBytes: 0,
      freesBytes: 50,
      peakBytes: 0,
      gpus: { takes: 0, frees: 1 },
      ports: { ...none, frees: [1] },
    },
  ]);
  expect(requestsMeanwhile(moved)).toEqual([{ deployment: 'a', requests: 'go on' }]);
});

test('beside the old one both are held at once; in its place only what the new one takes more', () => {
  const beside = plan(action('replace', 'a', 'here', { port: 1, wanted: 2, beside: true }));
  expect(figuresOf(beside, known)[0]).toMatchObject({ peakBytes: 50, ports: { takes: [2], frees: [1] } });
  expect(requestsMeanwhile(beside)[0]?.requests).toBe('go on');
  const inPlace = plan(action('replace', 'a', 'here'));
  expect(figuresOf(inPlace, known)[0]).toMatchObject({ peakBytes: 0, ports: { takes: [], frees: [] } });
  expect(requestsMeanwhile(inPlace)[0]?.requests).toBe('wait');
});

test('what ends first makes room for what starts, and what is not known is not counted as nothing', () => {
  const both = plan(action('stop', 'b', 'here'), action('start', 'c', 'here', { port: 2 }));
  expect(figuresOf(both, known)[0]).toMatchObject({ takesBytes: 40, freesBytes: 30, peakBytes: 10 });
  expect(requestsMeanwhile(both).map((one) => one.requests)).toEqual(['end', 'begin']);
  expect(figuresOf(plan(action('start', 'new', 'here')), known)[0]).toMatchObject({
    takesBytes: null,
    peakBytes: null,
  });
});

test('one whose port another engine waits for serves elsewhere before that; requests of two that exchange their ports wait', () => {
  const moved = [action('start', 'a', 'far'), action('stop', 'a', 'here')];
  const followed = plan(...moved, action('start', 'c', 'here', { port: 1 }));
  expect(requestsMeanwhile(followed)[0]).toEqual({ deployment: 'a', requests: 'go on' });
  const exchanged = plan(...moved, action('start', 'c', 'here'), action('stop', 'c', 'far'));
  expect(requestsMeanwhile(exchanged).map((one) => one.requests)).toEqual(['wait', 'wait']);
});

test('the memory of each step is told: while it is done, and after it', () => {
  const moved = plan(action('start', 'a', 'far'), action('stop', 'a', 'here'), action('stop', 'b', 'here'));
  expect(
    memorySteps(moved, known).map((one) => [one.do, one.deployment, one.meanwhileBytes, one.afterBytes]),
  ).toEqual([
    ['stop', 'b', 0, -30],
    ['start', 'a', 50, 50],
    ['stop', 'a', -30, -80],
  ]);
  const beside = plan(action('replace', 'a', 'here', { port: 1, wanted: 2, beside: true }));
  expect(memorySteps(beside, known)[0]).toMatchObject({ meanwhileBytes: 50, afterBytes: 0, freeBytes: 100 });
  const unknown = plan(action('start', 'new', 'here'), action('start', 'c', 'here', { port: 2 }));
  expect(memorySteps(unknown, known).map((one) => one.meanwhileBytes)).toEqual([null, null]);
});
