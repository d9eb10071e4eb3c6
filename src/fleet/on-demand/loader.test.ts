import { expect, test } from 'vitest';
import { engineOf } from '../../engines/registry.ts';
import { systemClock } from '../../io/clock.ts';
import type { World } from '../../io/world.ts';
import { localWorld } from '../../io/local-world.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { Loader } from './loader.ts';
import type { LoaderPorts } from './loader.ts';

/** A host that nothing can be changed on for the first tries, as one whose daemon does not answer; waits pass at once. */
function stubborn(tries: number): { world: World; waits: number[]; errors: unknown[] } {
  const world = localWorld();
  const waits: number[] = [];
  const errors: unknown[] = [];
  let left = tries;
  const locks: World['locks'] = {
    take: async (name, info) => {
      if (left === 0) return world.locks.take(name, info);
      left -= 1;
      throw new Error('The daemon does not answer.');
    },
    holder: async () => null,
  };
  const clock: World['clock'] = {
    ...world.clock,
    sleep: async (ms) => {
      waits.push(ms);
    },
  };
  const log: World['log'] = { ...world.log, error: (_message, fields) => void errors.push(fields) };
  return { world: { ...world, locks, clock, log }, waits, errors };
}

function loaderOf(
  world: World,
  fetched: Partial<Pick<LoaderPorts, 'fetch'>> & {
    readonly deployments?: readonly object[];
    readonly noted?: () => void;
  } = {},
): { loader: Loader; told: string[] } {
  const told: string[] = [];
  const { deployments = [], fetch = () => Promise.reject(new Error('Nothing is fetched here.')) } = fetched;
  const loaded = { fleet: 'none', fleetId: 'of-nobody', hosts: {}, deployments };
  const loader = new Loader(world, {
    loaded: () => loaded as unknown as LoadedFleet,
    tell: () => {},
    changed: async () => void told.push(loader.phaseOf('a')),
    onProgress: () => {},
    fetch,
    engines: () => [],
    noted: async () => fetched.noted?.(),
    fetched: () => {},
    times: { of: () => null, learn: async () => {} },
  });
  return { loader, told };
}

test('an engine that could not be ended is tried again, less and less often, and its model is told as gone once it has ended', async () => {
  const { world, waits, errors } = stubborn(8);
  const { loader, told } = loaderOf(world);
  loader.unload('a');
  await expect.poll(() => told, { timeout: 60_000 }).toEqual(['gone']);
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  expect(errors).toEqual([{ name: 'a', reason: 'The daemon does not answer.' }]);
});

test('what cannot be ended keeps nobody from ending', async () => {
  const { world, waits } = stubborn(Infinity);
  const { loader, told } = loaderOf({
    ...world,
    clock: {
      ...world.clock,
      sleep: (ms, signal) => {
        waits.push(ms);
        return new Promise((_resolve, reject) =>
          signal?.addEventListener('abort', () => reject(signal.reason)),
        );
      },
    },
  });
  loader.unload('a');
  await expect.poll(() => waits.length).toBe(1);
  await loader.stop();
  expect([loader.phaseOf('a'), told]).toEqual(['ending', []]);
});

test('nor does one whose end waits for a load that is given up with it', async () => {
  const { world } = stubborn(Infinity);
  const engine = engineOf('llama.cpp').options?.parse({ kind: 'llama.cpp' });
  const model = { path: 'https://host/b.gguf', mmproj: null, secret: null };
  const target = { kind: 'process' };
  const one = { name: 'a', host: 'local', engine, model, target, gpus: 0, resources: null };
  let began = 0;
  const { loader, told } = loaderOf(
    { ...world, clock: { ...world.clock, sleep: systemClock.sleep } },
    {
      deployments: [one],
      fetch: (_wanted, { signal }) => {
        began += 1;
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => setTimeout(reject, 50, signal.reason)),
        );
      },
    },
  );
  loader.load('a');
  await expect.poll(() => began).toBe(1);
  loader.unload('a');
  await loader.stop();
  expect([loader.phaseOf('a'), told]).toEqual(['ending', ['ending']]);
  // Nor is anything begun after that.
  loader.load('a');
  await loader.stop();
  expect(began).toBe(1);
}, 10_000);

test('a model whose fetch failed is told as failed until one succeeds', async () => {
  const engine = engineOf('llama.cpp').options?.parse({ kind: 'llama.cpp' });
  const model = { path: 'https://host/b.gguf', mmproj: null, secret: null };
  const one = {
    name: 'a',
    host: 'local',
    engine,
    model,
    target: { kind: 'process' },
    gpus: 0,
    resources: null,
  };
  const answers = [Promise.reject(new Error('The hub does not answer.')), Promise.resolve('/store/b.gguf')];
  answers[0]?.catch(() => {});
  const noted: object[] = [];
  const { loader, told } = loaderOf(localWorld(), {
    deployments: [one],
    fetch: () => answers.shift() ?? Promise.reject(new Error('It was fetched already.')),
    noted: () => void noted.push(loader.failed),
  });
  loader.fetch('a');
  await expect.poll(() => loader.failed).toEqual({ a: 'Error: The hub does not answer.' });
  loader.fetch('a');
  await expect.poll(() => told.length).toBe(2);
  expect(loader.failed).toEqual({});
  // Whoever reads what was noted is told so as well.
  expect(noted.at(-1)).toEqual({});
});
