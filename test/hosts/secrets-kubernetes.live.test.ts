import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ClusterPlace } from '../../src/domain/host-access.ts';
import { localFiles } from '../../src/io/files.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { clusterWorld, placeOf } from '../../src/kube/cluster-world.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { canaries, filesWith, readOr, watchProcesses } from '../support/canary.ts';
import { berthImage, berthImageFrom, nodeImage } from './berth-image.ts';
import { llamaTree } from './container-box.ts';
import { llamaImage, llamaProgram, startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';
import { addKserve, missingForKserve, startStandIn } from './kserve-stand-in.ts';
import { processesOfPod } from './kube-inventory.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const root = resolve(import.meta.dirname, '../..');
const missing = missingForKserve();
const namespace = 'canary';
const fakeImage = 'localhost/vllm:1';

/** Stands in for vLLM as far as its command line and its answers go. */
const vllm = `import { createServer } from 'node:http';
const port = Number(process.argv[process.argv.indexOf('--port') + 1]);
process.on('SIGTERM', () => process.exit(0));
console.log('the token is in ' + (process.env.HF_TOKEN_PATH ?? 'nothing'));
createServer((request, reply) => {
  request.resume();
  reply.setHeader('content-type', 'application/json');
  if (request.url.startsWith('/v1/models')) return reply.end('{"object":"list","data":[{"id":"m"}]}');
  const message = { role: 'assistant', content: 'a' };
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  reply.end(JSON.stringify({ object: 'chat.completion', choices: [{ index: 0, message, text: 'a', finish_reason: 'stop' }], usage }));
}).listen(port, '0.0.0.0');
`;

describe.skipIf(missing !== null)(
  `secrets in a real cluster${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    let box: KubeBox;
    let place: Place;
    let work: string;
    let standIn: { stop: () => Promise<void> };

    beforeAll(async () => {
      work = mkdtempSync(join(tmpdir(), 'berth-image-'));
      execFileSync('node', [join(root, 'scripts/image.mjs'), join(work, 'image')], { stdio: 'ignore' });
      writeFileSync(join(work, 'vllm.mjs'), vllm);
      box = await startCluster([
        berthImageFrom(join(work, 'image')),
        nodeImage(fakeImage, join(work, 'vllm.mjs')),
      ]);
      await addKserve(box);
      box.kubectl('create', 'namespace', namespace);
      const cluster = ClusterPlace.parse({ context: 'box', namespace, kubeconfig: box.kubeconfig });
      standIn = startStandIn(await placeOf(await clusterWorld(localWorld(), cluster)));
      place = makePlace();
      place.env['KUBECONFIG'] = box.kubeconfig;
      chmodSync(place.folder, 0o755);
      await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
      chmodSync(join(place.folder, 'm.gguf'), 0o644);
    });
    afterAll(async () => {
      await place?.berth('down');
      await standIn?.stop();
      await place?.close();
      box?.stop();
      rmSync(work, { recursive: true, force: true });
    });

    function fleet(): string {
      const pod = `image: "${fakeImage}", entrypoint: [/usr/local/bin/node, /vllm.mjs]`;
      return `version: 1
fleet: lab
id: canary
hosts: {box: {kubernetes: {context: box, namespace: ${namespace}}}}
models:
  toy: {source: ${join(place.folder, 'm.gguf')}}
  hub: {source: "hf://someone/m", secret: "\${file:./hub.token}"}
gateway:
  host: box
  image: ${berthImage}
  replicas: 1
  keys:
    env: "\${env:CLIENT_KEY}"
    dotenv: "\${env:DOT_KEY}"
    file: "\${file:./file.key}"
    there: {secretRef: {name: there, key: token}}
  limits: {drain: 1s}
deployments:
  toy:
    model: toy
    port: 8081
    ownKey: true
    engine: {kind: llama.cpp, slots: 1, context: 256, threads: 1, cacheRam: 0, startTimeout: 120s, env: {GGML_BACKEND_PATH: ${llamaTree()?.backend ?? ''}}}
    target: {kind: kubernetes, image: "${llamaImage}", pull: Never, preStop: 0, entrypoint: ${JSON.stringify(llamaProgram)}}
  hub: {model: hub, ownKey: true, engine: {kind: vllm, startTimeout: 120s}, target: {kind: kubernetes, pull: Never, preStop: 0, ${pod}}}
  served: {model: hub, ownKey: true, engine: {kind: vllm, startTimeout: 120s}, target: {kind: kserve, ${pod}}}
  far: {engine: {kind: openai, url: "http://127.0.0.1:9", key: "\${env:FAR_KEY}"}}
`;
    }

    function kubectl(...args: string[]): string {
      return box.kubectl('-n', namespace, ...args);
    }

    async function ask(model: string, key: string): Promise<string> {
      const running = '--field-selector=status.phase=Running';
      const pods = ['-l', 'app.kubernetes.io/name=berth-gateway', running];
      const address = kubectl('get', 'pods', ...pods, '-o', 'jsonpath={.items[0].status.podIP}');
      try {
        const reply = await fetch(`http://${address}:8484/v1/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
          body: JSON.stringify({ model, messages: [{ role: 'user', content: 'a' }], max_tokens: 1 }),
          signal: AbortSignal.timeout(20_000),
        });
        return `${reply.status} ${JSON.stringify([...reply.headers])} ${await reply.text()}`;
      } catch (error) {
        return String(error);
      }
    }

    /** All that a cluster tells of its objects, but what its Secrets hold. */
    function objects(): string {
      const kinds =
        'deployments,replicasets,services,pods,configmaps,events,endpointslices,serviceaccounts,roles,inferenceservices,servingruntimes';
      return kubectl('get', kinds, '-o', 'yaml') + kubectl('describe', 'pods,deployments,configmaps,secrets');
    }

    function processes(): string {
      const uids = kubectl('get', 'pods', '-o', 'jsonpath={.items[*].metadata.uid}').split(' ');
      const pids = uids.flatMap((uid) => processesOfPod(uid, ''));
      return pids.map((pid) => readOr(`/proc/${pid}/environ`) + readOr(`/proc/${pid}/cmdline`)).join('\n');
    }

    test('no secret shows in what berth or the cluster tells, in command lines or environments, nor does another value of one', async () => {
      const found = canaries();
      const texts = new Map<string, string>();
      let client = found.make('env');
      place.env['CLIENT_KEY'] = client;
      place.env['FAR_KEY'] = found.make('far');
      place.write(`DOT_KEY='${found.make('dotenv')}'\n`, '.env');
      place.write(found.make('file'), 'file.key');
      place.write(found.make('model'), 'hub.token');
      for (const name of ['.env', 'file.key', 'hub.token']) chmodSync(join(place.folder, name), 0o600);
      const there = found.make('cluster');
      place.write(there, 'there');
      kubectl('create', 'secret', 'generic', 'there', `--from-file=token=${join(place.folder, 'there')}`);
      rmSync(join(place.folder, 'there'));
      place.write(fleet());
      const watch = watchProcesses(found);

      async function run(...args: string[]): Promise<void> {
        const ran = await place.berth(...args);
        texts.set(`${texts.size} ${args.join(' ')}`, ran.stdout + ran.stderr);
        expect([args, ran.code, ran.stderr]).toEqual([args, 0, expect.any(String)]);
      }
      for (const args of ['validate --json', 'plan --json', 'apply --yes', 'plan --json', 'status --json'])
        await run(...args.split(' '));
      for (const name of ['toy', 'hub', 'served', 'gateway']) await run('logs', name);
      for (const format of ['kubernetes', 'kustomize', 'helm']) await run('render', '--format', format);
      await run('render', 'served', '--format', 'kserve');
      expect([...texts].find(([name]) => name.endsWith('logs hub'))?.[1]).toContain(
        'the token is in /run/secrets/berth/',
      );
      const keys = readdirSync(join(place.folder, 'state'), { recursive: true, encoding: 'utf8' });
      for (const path of keys.filter((one) => /engine-keys\/./.test(one)))
        found.add(`own key ${path}`, readFileSync(join(place.folder, 'state', path), 'utf8').trim());

      for (const model of ['toy', 'hub', 'served'])
        await until(async () => (await ask(model, client)).startsWith('200'), `${model} to answer`);
      expect(await ask('toy', there)).toMatch(/^200/);
      texts.set('an answer', await ask('toy', client));
      texts.set('a refusal', await ask('toy', `${client}x`));
      texts.set('no server', await ask('far', client));
      expect(texts.get('a refusal')).toMatch(/^401/);
      texts.set('objects', objects());
      texts.set('processes', processes());
      expect(texts.get('processes')).toContain('--engine-keys');

      // Another value is told by its name, and comes to the pods.
      const before = client;
      client = found.make('another');
      place.env['CLIENT_KEY'] = client;
      place.write(found.make('another model'), 'hub.token');
      const plan = await place.berth('plan');
      texts.set('plan of a change', plan.stdout + plan.stderr);
      expect(plan.stdout).toContain('secret CLIENT_KEY changed: other pods');
      expect(plan.stdout).toContain(`secret ${join(place.folder, 'hub.token')} changed: restart`);
      await run('apply', '--yes');
      await until(async () => (await ask('toy', client)).startsWith('200'), 'the other key');
      expect(await ask('toy', before)).toMatch(/^401/);
      await run('plan', '--json');
      texts.set('objects after it', objects());
      texts.set('processes after it', processes());
      await run('down');

      expect(
        [...texts].flatMap(([name, text]) => found.in(text).map((what) => `${what} in ${name}`)),
      ).toEqual([]);
      expect(await watch.stop()).toEqual([]);
      expect(filesWith(found, join(place.folder, 'state')).open).toEqual([]);
      expect(kubectl('get', 'secrets', '-o', 'name').trim()).toBe('secret/there');
    });
  },
);
