import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { until } from '../support/berth.ts';
import { buildUsualLlama, missingForPodmanMachine, startPodmanMachine } from './podman-machine.ts';
import type { SystemdBox } from './systemd-box.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const missing = missingForPodmanMachine();
const why = missing === null ? '' : ` (skipped: ${missing})`;
let box: SystemdBox;

beforeAll(async () => {
  if (missing !== null) return;
  box = startPodmanMachine();
  buildUsualLlama(box);
  await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(box.folder, 'm.gguf') });
});
afterAll(() => box?.stop());

/** What it says; throws where it fails. */
function inBox(...argv: string[]): string {
  const ran = box.enter(...argv);
  if (ran.code !== 0) throw new Error(`${argv.join(' ')}: ${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}

function berth(...args: string[]): string {
  const ran = box.berth(args);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  return ran.stdout;
}

function replicas(): FleetStatus['deployments'][number]['replicas'] {
  return (JSON.parse(berth('status', '--json')) as FleetStatus).deployments.flatMap((one) => one.replicas);
}

test.skipIf(missing !== null)(
  `an engine behind podman's bridge answers, and is back after a boot without berth${why}`,
  async () => {
    inBox('systemctl', 'enable', '--now', '--quiet', 'podman.socket', 'podman-restart.service');
    writeFileSync(
      join(box.folder, 'berth.yaml'),
      `version: 1
fleet: lab
models: {toy: {source: ./m.gguf}}
deployments:
  toy: {model: toy, target: {kind: docker}, engine: {kind: llama.cpp, slots: 2, context: 256, threads: 1, cacheRam: 0}}
`,
    );
    berth('apply');
    const [before] = replicas();
    expect(before?.state).toBe('ready');
    expect(inBox('curl', '--fail', '--silent', `${before?.url}/health`)).toContain('ok');
    expect(inBox('podman', 'ps', '--format', '{{.Ports}}').trim()).toMatch(/^127\.0\.0\.1:\d+->\d+\/tcp$/);

    // What a shutdown and a boot do.
    inBox('systemctl', 'stop', 'podman-restart.service');
    expect(inBox('podman', 'ps', '--quiet')).toBe('');
    inBox('systemctl', 'start', 'podman-restart.service');
    await until(() => Promise.resolve(replicas()[0]?.state === 'ready'), 'the engine to be back');
    expect(berth('plan', '--json')).toContain('"do": "keep"');
    berth('down');
    expect(inBox('podman', 'ps', '--all', '--quiet')).toBe('');
  },
);
