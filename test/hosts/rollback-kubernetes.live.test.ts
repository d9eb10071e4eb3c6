import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { llamaTree } from './container-box.ts';
import { llamaImage, llamaProgram, missingForCluster, startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const missing = missingForCluster();
const why = missing === null ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== null)(`rollback in a real cluster${why}`, () => {
  let box: KubeBox;

  beforeAll(async () => {
    box = await startCluster();
  });
  afterAll(() => box?.stop());

  /** One of those who may change the cluster, with a folder and a state of their own. */
  function somebody(): Place {
    const place = makePlace();
    place.env['KUBECONFIG'] = box.kubeconfig;
    onTestFinished(() => place.close());
    return place;
  }

  /** With a chat template beside the fleet file, which tells the number of slots. */
  function write(place: Place, model: string, slots: number): void {
    place.write(templateOf(slots), 'chat.jinja');
    place.write(`version: 1
fleet: lab
id: k3x9q2
hosts: {box: {kubernetes: {context: box, namespace: rolled, createNamespace: true}}}
models: {toy: {source: "${model}"}}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
deployments:
  toy: {model: toy, port: 8081, engine: {kind: llama.cpp, chatTemplateFile: chat.jinja, jinja: true, slots: ${slots}, context: 256, threads: 1, cacheRam: 0, startTimeout: 90s, env: {GGML_BACKEND_PATH: ${llamaTree()?.backend ?? ''}}},
    target: {kind: kubernetes, image: "${llamaImage}", pull: Never, preStop: 0, entrypoint: ${JSON.stringify(llamaProgram)}}}
`);
  }

  function templateOf(slots: number): string {
    return `{% for m in messages %}template ${slots}: {{ m.content }}\n{% endfor %}\n`;
  }

  /** What the engine makes of a question before it answers. */
  async function prompt(): Promise<unknown> {
    const running = '--field-selector=status.phase=Running';
    const path = 'jsonpath={.items[-1:].status.podIP}';
    const address = inNamespace('get', 'pods', running, '--sort-by=.metadata.creationTimestamp', '-o', path);
    const reply = await fetch(`http://${address}:8081/apply-template`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'hello' }] }),
    });
    return ((await reply.json()) as { prompt?: unknown }).prompt;
  }

  function givenFiles(): string[] {
    const path = 'jsonpath={.items[*].metadata.name}';
    return inNamespace('get', 'configmaps', '-l', 'berth.dev/files=toy', '-o', path).split(' ');
  }

  function inNamespace(...args: string[]): string {
    return box.kubectl('-n', 'rolled', ...args);
  }

  function podNames(): string[] {
    return inNamespace('get', 'pods', '-o', 'name').trim().split('\n');
  }

  /** By the arguments of the engine in its Deployment. */
  function slots(): string | undefined {
    const path = 'jsonpath={.spec.template.spec.containers[0].args}';
    const args: string[] = JSON.parse(inNamespace('get', 'deployment', 'toy', '-o', path));
    return args[args.findIndex((one) => one === '-np' || one === '--parallel') + 1];
  }

  async function expectDone(place: Place, ...args: string[]): Promise<void> {
    const ran = await place.berth(...args);
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  }

  test('somebody else takes the last change back, and the first brings it in again', async () => {
    const [first, second] = [somebody(), somebody()];
    const model = join(first.folder, 'm.gguf');
    // The user that an engine runs as is not the one who made the folder.
    chmodSync(first.folder, 0o755);
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: model });
    chmodSync(model, 0o644);
    try {
      write(first, model, 2);
      await expectDone(first, 'apply');
      expect(await prompt()).toContain('template 2: hello');
      write(first, model, 3);
      await expectDone(first, 'apply');
      expect(slots()).toBe('3');
      expect(await prompt()).toContain('template 3: hello');

      write(second, model, 3);
      await expectDone(second, 'rollback', 'toy');
      expect(slots()).toBe('2');
      // Here the file holds that of now by then: what the pods of before were given is in the cluster.
      expect(await prompt()).toContain('template 2: hello');
      // Until the pods of before are gone.
      await until(() => podNames().length === 1, 'one pod');
      const pods = podNames();
      // What is kept beside the mark is no difference to anyone.
      write(second, model, 2);
      await expectDone(second, 'apply');
      expect(podNames()).toEqual(pods);

      await expectDone(first, 'rollback', 'toy');
      expect(slots()).toBe('3');

      // Another text in the file alone is another pod; what somebody takes away is told, and made again.
      write(second, model, 3);
      second.write(templateOf(4), 'chat.jinja');
      const planned = await second.berth('plan');
      expect(planned.stdout).toContain(`file ${join(second.folder, 'chat.jinja')} changed: restart`);
      await expectDone(second, 'apply');
      expect(await prompt()).toContain('template 4: hello');
      expect(givenFiles()).toHaveLength(2);
      inNamespace('delete', 'configmaps', '-l', 'berth.dev/files=toy');
      expect((await second.berth('plan')).stdout).toMatch(/ConfigMap toy-files-[0-9a-f]{8}/);
      await expectDone(second, 'apply', '--restart', 'toy');
      expect(await prompt()).toContain('template 4: hello');
      expect((await second.berth('plan')).stdout).not.toContain('ConfigMap');

      // Applied from files the same runs, with the same template.
      const rendered = await second.berth('render', '--format', 'kubernetes');
      second.write(rendered.stdout, 'rendered.yaml');
      inNamespace('apply', '--server-side', '--force-conflicts', '-f', join(second.folder, 'rendered.yaml'));
      expect((await second.berth('plan')).stdout).not.toContain('ConfigMap');
      await expectDone(second, 'apply');
      expect(await prompt()).toContain('template 4: hello');
    } finally {
      await first.berth('down');
    }
    expect(inNamespace('get', 'deployments,configmaps', '-o', 'name').trim()).toBe(
      'configmap/kube-root-ca.crt',
    );
  });
});
