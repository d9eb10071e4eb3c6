import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { findHelm } from '../support/find-helm.ts';
import { berthImage, berthImageFrom } from './berth-image.ts';
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
  let work: string;
  const key = 'a-key-of-a-test';
  const namespace = 'charts';

  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), 'berth-image-'));
    const script = resolve(import.meta.dirname, '../../scripts/image.mjs');
    execFileSync('node', [script, join(work, 'image')], { stdio: 'ignore' });
    box = await startCluster([berthImageFrom(join(work, 'image'))]);
    box.kubectl('create', 'namespace', namespace);
    place = makePlace();
    place.env['CI_KEY'] = key;
    chmodSync(place.folder, 0o755);
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
    chmodSync(join(place.folder, 'm.gguf'), 0o644);
  });
  afterAll(async () => {
    await place?.close();
    box?.stop();
    rmSync(work, { recursive: true, force: true });
  });

  async function render(slots: number, gateway = 'listen: ["127.0.0.1:0"]'): Promise<string> {
    const backend = llamaTree()?.backend ?? '';
    const text = [
      'version: 1',
      'fleet: lab',
      'id: k3x9q2',
      `hosts: {box: {kubernetes: {context: box, namespace: ${namespace}, kubeconfig: ${box.kubeconfig}}}}`,
      'models: {toy: {source: ./m.gguf}}',
      `gateway: {${gateway}}`,
      'console: {listen: "127.0.0.1:0"}',
      'deployments:',
      `  toy: {model: toy, port: 8081, engine: {kind: llama.cpp, slots: ${slots}, context: 256, threads: 1, cacheRam: 0, startTimeout: 90s, env: {GGML_BACKEND_PATH: ${backend}}},`,
      `    target: {kind: kubernetes, image: "${llamaImage}", pull: Never, preStop: 0, entrypoint: ${JSON.stringify(llamaProgram)}}}`,
    ].join('\n');
    place.write(text);
    const rendered = await place.berth('render', '--format', 'helm', '--out', 'chart');
    expect(rendered.code, rendered.stderr).toBe(0);
    return rendered.stderr;
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
    const all = [...plan.actions, ...(plan.gateways ?? [])];
    expect(new Set(all.map((one) => one.do))).toEqual(new Set(['keep']));
    expect(plan.findings).toEqual([]);
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

  function gatewayIn(replicas: number): string {
    return `host: box, image: "${berthImage}", replicas: ${replicas}, keys: {ci: "\${env:CI_KEY}"}`;
  }

  /** What each pod of the gateway answers to a request for a completion. */
  function answers(): Promise<number[]> {
    const where = ['-n', namespace, 'get', 'pods', '-l', 'app.kubernetes.io/name=berth-gateway'];
    const addresses = box.kubectl(...where, '-o', 'jsonpath={.items[*].status.podIP}').split(' ');
    return Promise.all(
      addresses.map(async (address) => {
        const reply = await fetch(`http://${address}:8484/v1/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
          body: JSON.stringify({ model: 'toy', prompt: 'a', max_tokens: 2 }),
          signal: AbortSignal.timeout(20_000),
        });
        await reply.arrayBuffer();
        return reply.status;
      }),
    );
  }

  test('a chart with the gateway serves, is changed by Helm, and berth changes and ends nothing of it', async () => {
    const needs = await render(2, gatewayIn(1));
    const [making = ''] = /printf .* --from-env-file=\/dev\/stdin; kubectl label .*/.exec(needs) ?? [];
    const programs = `${process.env['KUBEBUILDER_ASSETS']}:${process.env['PATH']}`;
    const env = { ...process.env, PATH: programs, KUBECONFIG: box.kubeconfig, CI_KEY: key };
    expect(making).toContain(` -n ${namespace} `);
    execFileSync('sh', ['-c', making], { env, stdio: 'pipe' });
    release('install', 'lab', 'chart', '--wait', '--timeout', '150s');
    await servingUrl();
    expect(await answers()).toEqual([200]);
    await expectNothingToDo();
    expect((await place.berth('apply')).code).toBe(0);

    await render(2, gatewayIn(2));
    const refused = await place.berth('apply');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('is tracked by Helm')]);
    release('upgrade', 'lab', 'chart', '--wait', '--timeout', '150s');
    expect(await answers()).toEqual([200, 200]);
    await expectNothingToDo();
    const down = await place.berth('down');
    expect(down.code).not.toBe(0);
    expect(down.stdout + down.stderr).toContain('is tracked by Helm');
    expect(await answers()).toEqual([200, 200]);
    release('uninstall', 'lab', '--wait');
  });
});
