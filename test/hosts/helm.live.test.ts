import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { findHelm } from '../support/find-helm.ts';
import { llamaTree } from './container-box.ts';
import { complete, llamaImage, llamaProgram, missingForCluster, startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 });

const helm = findHelm();
const missing = missingForCluster() ?? (helm === null ? 'no helm' : null);
const why = missing === null ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== null)(`charts in a real cluster${why}`, () => {
  let box: KubeBox;
  let place: Place;
  const namespace = 'charts';

  beforeAll(async () => {
    box = await startCluster();
    box.kubectl('create', 'namespace', namespace);
    place = makePlace();
    chmodSync(place.folder, 0o755);
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
    chmodSync(join(place.folder, 'm.gguf'), 0o644);
  });
  afterAll(async () => {
    await place?.close();
    box?.stop();
  });

  async function render(slots: number): Promise<void> {
    const backend = llamaTree()?.backend ?? '';
    const text = [
      'version: 1',
      'fleet: lab',
      'id: k3x9q2',
      `hosts: {box: {kubernetes: {context: box, namespace: ${namespace}, kubeconfig: ${box.kubeconfig}}}}`,
      'models: {toy: {source: ./m.gguf}}',
      'gateway: {listen: ["127.0.0.1:0"]}',
      'console: {listen: "127.0.0.1:0"}',
      'deployments:',
      `  toy: {model: toy, port: 8081, engine: {kind: llama.cpp, slots: ${slots}, context: 256, threads: 1, cacheRam: 0, startTimeout: 90s, env: {GGML_BACKEND_PATH: ${backend}}},`,
      `    target: {kind: kubernetes, image: "${llamaImage}", pull: Never, preStop: 0, entrypoint: ${JSON.stringify(llamaProgram)}}}`,
    ].join('\n');
    place.write(text);
    const rendered = await place.berth('render', '--format', 'helm', '--out', 'chart');
    expect(rendered.code, rendered.stderr).toBe(0);
  }

  function release(...words: string[]): void {
    const where = ['--kubeconfig', box.kubeconfig, '-n', namespace];
    execFileSync(helm ?? '', [...words, ...where], { cwd: place.folder, stdio: 'pipe' });
  }

  async function servingUrl(): Promise<string> {
    return until(async () => {
      const status: FleetStatus = (await place.berth('status', '--json')).json();
      const replica = status.deployments[0]?.replicas[0];
      return replica?.state === 'ready' ? replica.url : null;
    }, 'the engine');
  }

  async function expectNothingToDo(): Promise<void> {
    const plan: Plan = (await place.berth('plan', '--json')).json();
    expect([plan.actions.map((one) => one.do), plan.findings]).toEqual([['keep'], []]);
  }

  test('what Helm installs is the fleet, Helm changes it, and berth changes and ends nothing of it', async () => {
    await render(2);
    release('install', 'lab', 'chart', '--wait', '--timeout', '150s');
    await servingUrl();
    await expectNothingToDo();
    expect((await place.berth('apply')).code).toBe(0);

    await render(3);
    const refused = await place.berth('apply');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('toy is tracked by Helm')]);
    release('upgrade', 'lab', 'chart', '--wait', '--timeout', '150s');
    const url = await servingUrl();
    await expectNothingToDo();

    const down = await place.berth('down');
    expect(down.code).not.toBe(0);
    expect(down.stdout + down.stderr).toContain('Deployment toy is tracked by Helm');
    expect(await complete(url)).toBe(200);
    release('uninstall', 'lab', '--wait');
  });
});
