import { expect, test } from 'vitest';
import type { Instance } from '../../domain/instance.ts';
import type { HostFigures } from '../relocate/figures.ts';
import { standingAfter, standingOf } from './standing.ts';
import type { Reached } from './take-over.ts';

function own(id: string, rssBytes: number | null, gpus = 0, alive = true): Instance {
  return {
    object: { target: 'process', id, name: id },
    alive,
    rssBytes,
    mark: { spec: { devices: { count: gpus } } },
  } as unknown as Instance;
}

function reached(rssBytes: number | null, gpus: string[] = []): Reached {
  return { server: { rssBytes, gpus }, folder: null, model: null } as unknown as Reached;
}

function host(takesBytes: number | null, freesBytes: number | null, takes = 0, frees = 0): HostFigures {
  return { takesBytes, freesBytes, gpus: { takes, frees } } as unknown as HostFigures;
}

test('what the fleet takes is that of all that runs, each once, and not known where one of them is not', () => {
  const now = standingOf([own('a', 30, 1), own('a', 30, 1), own('b', 9, 0, false)], [reached(12, ['0'])]);
  expect(now).toEqual({ servers: 2, memoryBytes: 42, gpus: 2 });
  expect(standingOf([own('a', 30), own('b', null)], [])).toEqual({ servers: 2, memoryBytes: null, gpus: 0 });
});

test('what it would take is that with what each host takes and frees', () => {
  const now = { servers: 3, memoryBytes: 100, gpus: 2 };
  expect(standingAfter(now, [host(20, 50, 1, 2), host(0, 10)], -1)).toEqual({
    servers: 2,
    memoryBytes: 60,
    gpus: 1,
  });
  expect(standingAfter(now, [host(null, 50)], 0).memoryBytes).toBeNull();
});
