import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Plan } from '../../src/domain/plan.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

const server = join(import.meta.dirname, '../support/fake-llama-server.mjs');
let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

function install(name: string): void {
  place.write(`#!/bin/sh\nexec '${process.execPath}' '${server}' "$@"\n`, name);
  chmodSync(join(place.folder, name), 0o755);
}

function write(slotsOfA = 1, slotsOfB = 1): void {
  function deployment(name: string, slots: number): string {
    const binary = JSON.stringify(join(place.folder, name));
    return `  ${name}: {model: m, engine: {kind: llama.cpp, binary: ${binary}, slots: ${slots}, context: 256}}\n`;
  }
  const both = deployment('a', slotsOfA) + deployment('b', slotsOfB);
  place.write(`version: 1\nfleet: lab\nmodels: {m: {source: ./m.gguf}}\ndeployments:\n${both}`);
}

async function plan(...more: string[]): Promise<{ code: number | null; what: string[]; found: string[][] }> {
  const { code, json } = await place.berth('plan', '--json', ...more);
  const { actions, findings } = json() as Plan;
  return {
    code,
    what: actions.map((one) => `${one.do} ${one.deployment}`),
    found: findings
      .filter(({ rule }) => rule === 'program-missing')
      .map(({ severity, object, message, cure }) => [severity, object, message, cure]),
  };
}

test('a program that is missing is told beside the rest of the plan, and keeps nobody from changing the others', async () => {
  await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
  install('b');
  write();
  const missing = join(place.folder, 'a');
  const message = `The program ${missing} is not on this machine; a needs it.`;
  const cure = `Install ${missing} and put it on PATH, or name its path in the fleet file.`;
  expect(await plan()).toEqual({
    code: 1,
    what: ['start a', 'start b'],
    found: [['critical', 'a', message, cure]],
  });
  expect((await place.berth('plan', '--out', 'kept.json')).code).toBe(1);
  const refused = await place.berth('apply');
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(message)]);
  expect((await place.berth('status', '--json')).stdout).not.toContain('"ready"');
  const rest = await place.berth('apply', '--only', 'b');
  expect([rest.code, rest.stdout]).toEqual([0, expect.stringContaining('Done: start b.')]);

  install('a');
  expect((await place.berth('down')).code).toBe(0);
  // Nobody has asked that program for its flags when this plan was made.
  const kept = await place.berth('apply', 'kept.json');
  expect([kept.code, kept.stderr]).toEqual([1, expect.stringContaining(message)]);
  expect((await place.berth('apply')).code).toBe(0);

  rmSync(missing);
  expect(await plan('--exit-code')).toEqual({
    code: 0,
    what: ['keep a', 'keep b'],
    found: [['warning', 'a', message, cure]],
  });
  write(1, 2);
  const changed = await place.berth('apply');
  expect([changed.code, changed.stdout]).toEqual([0, expect.stringContaining('Done: replace b.')]);
  write(2, 2);
  expect((await plan('--exit-code')).code).toBe(1);
});
