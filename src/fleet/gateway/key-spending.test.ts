import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { localWorld } from '../../io/local-world.ts';
import { openUsageStore } from '../../io/usage-store.ts';
import { keySpending, usageFile } from './key-spending.ts';

test('what keys have used is told for the day and the month that it is, and no file is made to look', async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'berth spending '));
  onTestFinished(() => rm(stateDir, { recursive: true }));
  const real = localWorld({ stateDir });
  const world = { ...real, clock: { ...real.clock, wall: () => new Date('2030-03-15T12:00:00Z') } };
  const fleet = { fleet: 'lab', fleetId: 'abcd' };
  expect(await keySpending(world, fleet)).toEqual([]);
  expect(await real.files.stat(usageFile(world, fleet))).toBeNull();
  const store = await openUsageStore(usageFile(world, fleet));
  const row = { key: 'k', model: 'm', requests: 1, input: 10, output: 5, usd: 0.5 };
  store.add([
    { ...row, day: '2030-02-28' },
    { ...row, day: '2030-03-01' },
    { ...row, day: '2030-03-15' },
    { ...row, day: '2030-03-15', model: 'n' },
  ]);
  const folder = dirname(usageFile(world, fleet));
  const files = (await readdir(folder)).filter((name) => name.startsWith(basename(usageFile(world, fleet))));
  const modes = await Promise.all(files.map(async (name) => (await stat(join(folder, name))).mode & 0o777));
  // The file, and SQLite's own beside it.
  expect(modes).toEqual([0o600, 0o600, 0o600]);
  store.close();
  expect(await keySpending(world, fleet)).toEqual([
    { key: 'k', day: { requests: 2, tokens: 30, usd: 1 }, month: { requests: 3, tokens: 45, usd: 1.5 } },
  ]);
});
