import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ClusterPlace } from '../../src/domain/host-access.ts';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { localFiles } from '../../src/io/files.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { clusterWorld, placeOf } from '../../src/kube/cluster-world.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { llamaTree } from './container-box.ts';
import { claimOf } from './kserve-claim.ts';
import { addKserve, missingForKserve, startStandIn } from './kserve-stand-in.ts';
import { llamaImage, llamaProgram, startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const missing = missingForKserve();
const why = missing === null ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== null)(`texts that InferenceServices are given${why}`, () => {
  let box: KubeBox;
  let files: Place;
  let standIn: { stop: () => Promise<void> };
  const namespace = 'templates';

  beforeAll(async () => {
    box = await startCluster();
    await addKserve(box);
    box.kubectl('create', 'namespace', namespace);
    const cluster = ClusterPlace.parse({ context: 'box', namespace, kubeconfig: box.kubeconfig });
    standIn = startStandIn(await placeOf(await clusterWorld(localWorld(), cluster)));
    files = makePlace();
    chmodSync(files.folder, 0o755);
    const model = join(files.folder, 'm.gguf');
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: model });
    chmodSync(model, 0o644);
    files.write(JSON.stringify(claimOf(files.folder, namespace)), 'claim.json');
    box.kubectl('apply', '-f', join(files.folder, 'claim.json'));
  });
  afterAll(async () => {
    await standIn?.stop();
    box?.stop();
    await files?.close();
  });

  /** One of those who may change the cluster, with a folder and a state of their own. */
  function somebody(): Place {
    const place = makePlace();
    onTestFinished(async () => {
      await place.berth('down');
      await place.close();
    });
    return place;
  }

  function write(place: Place, settings: string, env = ''): void {
    const image = `image: "${llamaImage}", entrypoint: ${JSON.stringify(llamaProgram)}`;
    place.write(`version: 1
fleet: lab
id: k3x9q2
hosts: {box: {kubernetes: {context: box, namespace: ${namespace}, kubeconfig: ${box.kubeconfig}}}}
models: {toy: {source: "pvc://weights/m.gguf"}}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
deployments:
  toy: {model: toy, engine: {kind: llama.cpp, jinja: true, ${settings}, slots: 1, context: 256, threads: 1, cacheRam: 0, startTimeout: 90s, env: {${env}GGML_BACKEND_PATH: ${llamaTree()?.backend ?? ''}}},
    target: {kind: kserve, ${image}, format: gguf}}
`);
  }

  async function done(place: Place, ...args: string[]): Promise<void> {
    const ran = await place.berth(...args);
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  }

  /** What the engine makes of a question before it answers. */
  async function promptBy(place: Place): Promise<unknown> {
    const status: FleetStatus = (await place.berth('status', '--json')).json();
    const reply = await fetch(`${status.deployments[0]?.replicas[0]?.url}/apply-template`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'hello' }] }),
    });
    return ((await reply.json()) as { prompt?: unknown }).prompt;
  }

  function inNamespace(...args: string[]): string {
    return box.kubectl('-n', namespace, ...args);
  }

  async function expectNothingToDo(place: Place): Promise<void> {
    const plan: Plan = (await place.berth('plan', '--json')).json();
    expect([plan.actions.map((action) => action.do), plan.findings]).toEqual([['keep'], []]);
  }

  test('a template beside the fleet file is what the engine answers by, the next one too, and after a rollback by somebody else the first', async () => {
    const [first, second] = [somebody(), somebody()];
    for (const name of ['first', 'second']) {
      first.write(`${name}: {{ messages[0].content }}`, 'chat.jinja');
      write(first, 'chatTemplateFile: chat.jinja');
      await done(first, 'apply');
      expect(await promptBy(first)).toBe(`${name}: hello`);
    }
    second.write('third: {{ messages[0].content }}', 'chat.jinja');
    write(second, 'chatTemplateFile: chat.jinja');
    await done(second, 'rollback', 'toy', '--yes');
    expect(await promptBy(second)).toBe('first: hello');
    first.write('first: {{ messages[0].content }}', 'chat.jinja');
    await expectNothingToDo(first);
    await done(first, 'down');
    expect(inNamespace('get', 'configmaps', '-o', 'name')).not.toContain('toy');
  });

  test('braces in arguments and variables are no templates of KServe', async () => {
    const place = somebody();
    const inline = "{{- 'inline ' }}{{ messages[0].content }}{# {{{ `}} #}";
    write(place, `chatTemplate: ${JSON.stringify(inline)}`, 'GREETING: "{{ .Name }} {{",');
    await done(place, 'apply');
    expect(await promptBy(place)).toBe('inline hello');
    const path = 'jsonpath={.spec.template.spec.containers[0].env}';
    const env: unknown = JSON.parse(inNamespace('get', 'deployment', 'toy-predictor', '-o', path));
    expect(env).toContainEqual({ name: 'GREETING', value: '{{ .Name }} {{' });
    await expectNothingToDo(place);
  });
});
