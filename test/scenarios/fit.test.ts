import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Plan } from '../../src/domain/plan.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { freePorts, makePlace } from '../support/berth.ts';
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

test('an engine that takes more memory than the machine has is not started unless that is forced or runs so today', async () => {
  await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
  const [port = 0] = await freePorts(1);
  place.write(`#!/bin/sh\nexec '${process.execPath}' '${server}' "$@"\n`, 'llama-server');
  chmodSync(join(place.folder, 'llama-server'), 0o755);
  const binary = JSON.stringify(join(place.folder, 'llama-server'));
  function engine(slots: number, context: number): string {
    return `{kind: llama.cpp, binary: ${binary}, slots: ${slots}, context: ${context}}`;
  }
  function write(huge: string, more = ''): void {
    place.write(
      `version: 1\nfleet: lab\nmodels: {m: {source: ./m.gguf}}\ndeployments:\n  huge: {model: m, port: ${port}, engine: ${huge}}\n${more}`,
    );
  }
  write(engine(64, 100_000_000));
  const { findings } = (await place.berth('plan', '--json')).json() as Plan;
  expect(findings.filter(({ severity }) => severity === 'critical')).toEqual([
    expect.objectContaining({
      rule: 'does-not-fit',
      object: 'huge',
      evidence: [
        expect.stringMatching(/^\d{13,} bytes by the model's header/),
        expect.stringContaining('memory here'),
      ],
    }),
  ]);
  const refused = await place.berth('apply');
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/huge does not fit: [^]*Nothing was done\.[^]*--force/),
  ]);
  expect((await place.berth('status', '--json')).stdout).not.toContain('"ready"');
  const forced = await place.berth('apply', '--force');
  expect([forced.code, forced.stdout]).toEqual([0, expect.stringContaining('Done: start huge.')]);
  // What runs is nobody's business any more.
  const after = (await place.berth('plan', '--json')).json() as Plan;
  expect(after.findings.map(({ rule }) => rule)).not.toContain('does-not-fit');

  // A change that makes it no larger is no reason to refuse it.
  write(engine(63, 100_000_000), `  small: {model: m, engine: ${engine(1, 256)}}\n`);
  const smaller = (await place.berth('plan', '--json')).json() as Plan;
  expect(smaller.findings.filter(({ rule }) => rule === 'does-not-fit')).toEqual([
    expect.objectContaining({
      severity: 'warning',
      object: 'huge',
      message: expect.stringContaining('What runs in its place takes no less.'),
    }),
  ]);
  const went = await place.berth('apply');
  expect([went.code, went.stdout]).toEqual([0, expect.stringContaining('replace huge')]);
  write(
    engine(64, 100_000_000),
    `  small: {model: m, engine: ${engine(2, 256)}}\n  vast: {model: m, engine: ${engine(64, 100_000_000)}}\n`,
  );
  const larger = await place.berth('apply');
  expect([larger.code, larger.stderr]).toEqual([
    1,
    expect.stringMatching(
      /huge does not fit: [^]*vast does not fit: [^]*Nothing was done\.[^]*"berth apply --only small" does the rest/,
    ),
  ]);
  const rest = await place.berth('apply', '--only', 'small');
  expect([rest.code, rest.stdout]).toEqual([0, expect.stringContaining('Done: replace small.')]);
});
