import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { contextNotes, duplicatesOf, merged } from './merge.ts';

function served(name: string, change: Partial<Parameters<typeof duplicatesOf>[0][number]> = {}) {
  return {
    name,
    model: '/m/kimi.gguf',
    use: '',
    context: null,
    machine: 'local',
    gpus: 0,
    slots: 2,
    external: false,
    ...change,
  };
}

test('of the same model on one machine the one with GPUs stays, then that with more slots, unless another is named', () => {
  const all = [
    served('cpu', { slots: 8 }),
    served('gpu', { gpus: 1 }),
    served('pod', { external: true, gpus: 4 }),
  ];
  expect(duplicatesOf(all)).toEqual([{ keep: 'gpu', drop: ['cpu', 'pod'] }]);
  expect(duplicatesOf(all, ['cpu'])).toEqual([{ keep: 'cpu', drop: ['gpu', 'pod'] }]);
});

test('other models, other machines and what opens no model are no duplicates', () => {
  expect(
    duplicatesOf([
      served('a'),
      served('b', { model: '/m/other.gguf' }),
      served('c', { machine: 'ssh://far' }),
      served('f', { use: 'embeddings' }),
      served('d', { model: null }),
      served('e', { model: null }),
    ]),
  ).toEqual([]);
});

test('routes and names of one that goes lead to the one that stays, and every other line is as it was', () => {
  const text = `fleet: lab # at home
deployments:
  gpu: {model: kimi} # the fast one
  # the slow one
  cpu:
    model: kimi
  other: {model: o}
gateway:
  routes:
    eyes: cpu # for all
    slow: {to: cpu, hold: 5m}
    both: {to: {cpu: 1, gpu: 3, other: 1}}
    shadowed: {to: other, shadow: {to: cpu, percent: 5}}
    far: other
`;
  const edited = merged(text, { keep: 'gpu', drop: ['cpu'] });
  expect(parse(edited)).toEqual({
    fleet: 'lab',
    deployments: { gpu: { model: 'kimi' }, other: { model: 'o' } },
    gateway: {
      routes: {
        eyes: 'gpu',
        slow: { to: 'gpu', hold: '5m' },
        both: { to: { gpu: 4, other: 1 } },
        shadowed: { to: 'other', shadow: { to: 'gpu', percent: 5 } },
        far: 'other',
        cpu: 'gpu',
      },
    },
  });
  for (const line of ['fleet: lab # at home', '  gpu: {model: kimi} # the fast one', '    far: other'])
    expect(edited.split('\n')).toContain(line);
  expect(edited).toContain('eyes: gpu # for all');
});

test.each([
  'deployments: {a: {}, b: {}}\n',
  'deployments: {a: {}, b: {}}\ngateway: {listen: ["127.0.0.1:1"]}\n',
])('a name that goes stays one that clients may ask for: %j', (text) => {
  const edited = parse(merged(text, { keep: 'a', drop: ['b'] })) as { gateway: { routes: unknown } };
  expect(edited.gateway.routes).toEqual({ b: 'a' });
});

test('benchmarks and experiments name the one that stays, and an experiment of one with itself is a route', () => {
  const text = `deployments: {gpu: {}, cpu: {}, other: {}}
benchmarks:
  both: {of: [cpu, gpu], seconds: 5} # each night
  slow:
    of: cpu
  far: {of: other}
experiments:
  twins: {arms: {a: gpu, b: cpu}}
  three: {arms: {a: other, b: gpu, c: cpu}, split: [5, 3, 2]}
  elsewhere: {arms: {a: other, b: cpu}}
`;
  const edited = merged(text, { keep: 'gpu', drop: ['cpu'] });
  expect(parse(edited)).toEqual({
    deployments: { gpu: {}, other: {} },
    benchmarks: { both: { of: ['gpu'], seconds: 5 }, slow: { of: 'gpu' }, far: { of: 'other' } },
    experiments: {
      three: { arms: { a: 'other', b: 'gpu' }, split: [5, 5] },
      elsewhere: { arms: { a: 'other', b: 'gpu' } },
    },
    gateway: { routes: { cpu: 'gpu', twins: 'gpu' } },
  });
  expect(edited).toContain('seconds: 5} # each night');
});

test('a file whose only experiment goes has no empty one left', () => {
  const text = 'deployments: {a: {}, b: {}}\nexperiments: {x: {arms: {one: a, two: b}}}\n';
  expect(parse(merged(text, { keep: 'a', drop: ['b'] }))).toEqual({
    deployments: { a: {} },
    gateway: { routes: { b: 'a', x: 'a' } },
  });
});

test('one whose requests would not fit into the one that stays is not merged, unless that is named', () => {
  const all = [served('gpu', { gpus: 1, context: 4096 }), served('cpu', { context: 16_384 }), served('old')];
  expect(duplicatesOf(all)).toEqual([{ keep: 'gpu', drop: ['old'] }]);
  expect(contextNotes(all)).toEqual([
    'cpu is not merged: cpu takes requests of 16384 tokens and gpu of 4096; give gpu that context, or say --keep with the one that is to stay',
  ]);
  expect(duplicatesOf(all, ['cpu'])).toEqual([{ keep: 'cpu', drop: ['gpu', 'old'] }]);
  expect(contextNotes(all, ['cpu'])).toEqual([]);
  expect(duplicatesOf(all, ['gpu'])).toEqual([{ keep: 'gpu', drop: ['cpu', 'old'] }]);
  expect(contextNotes(all, ['gpu'])).toEqual([
    'cpu takes requests of 16384 tokens and gpu of 4096: longer ones will be refused',
  ]);
});

test('a gateway that the file names and says nothing of gets the route', () => {
  const text = 'fleet: lab # x\ngateway:\ndeployments: {a: {}, b: {}} # both\n';
  expect(merged(text, { keep: 'a', drop: ['b'] })).toBe(
    'fleet: lab # x\ngateway: {routes: {b: a}}\ndeployments: {a: {}} # both\n',
  );
});
