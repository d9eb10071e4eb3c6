import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Plan } from '../../src/domain/plan.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makeAuthority } from '../support/certificates.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { berthImage, berthImageFrom } from './berth-image.ts';
import { llamaTree } from './container-box.ts';
import { llamaImage, llamaProgram, missingForCluster, startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 600_000 });

const root = resolve(import.meta.dirname, '../..');
const redisServer = ['redis-server', '/usr/bin/redis-server'].find(
  (path) => spawnSync(path, ['--version']).status === 0,
);
const missing = missingForCluster() ?? (redisServer === undefined ? 'no redis-server' : null);
const key = 'a-key-of-a-test';

describe.skipIf(missing !== null)(
  `the gateway in a real cluster${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    let box: KubeBox;
    let place: Place;
    let work: string;
    let redis: ChildProcess;
    /** The machine's end of the wire to the cluster, which pods reach. */
    let outside: string;

    beforeAll(async () => {
      work = mkdtempSync(join(tmpdir(), 'berth-image-'));
      execFileSync('node', [join(root, 'scripts/image.mjs'), join(work, 'image')], { stdio: 'ignore' });
      box = await startCluster([berthImageFrom(join(work, 'image'))]);
      box.kubectl('create', 'namespace', 'llm');
      outside = box.address.replace(/\.2$/, '.1');
      redis = startRedis();
      place = makePlace();
      place.env['KUBECONFIG'] = box.kubeconfig;
      place.env['CI_KEY'] = key;
      chmodSync(place.folder, 0o755);
      await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
      chmodSync(join(place.folder, 'm.gguf'), 0o644);
      place.write(fleet());
    });
    afterAll(async () => {
      await place?.close();
      redis?.kill('SIGKILL');
      box?.stop();
      rmSync(work, { recursive: true, force: true });
    });

    function startRedis(): ChildProcess {
      const open = ['--bind', outside, '--port', '26379', '--protected-mode', 'no'];
      const args = [...open, '--save', '', '--dir', work];
      return spawn(redisServer ?? '', args, { stdio: 'ignore' });
    }

    function fleet(gatewayPods = 2): string {
      return `version: 1
fleet: lab
id: k3x9q2
hosts: {box: {kubernetes: {context: box, namespace: llm}}}
models: {toy: {source: ${join(place.folder, 'm.gguf')}}}
gateway:
  host: box
  image: ${berthImage}
  replicas: ${gatewayPods}
  keys: {ci: "\${env:CI_KEY}"}
  limits: {eachKey: {rpm: 100000}, shared: "redis://${outside}:26379", drain: 5s}
deployments:
  toy:
    model: toy
    port: 8081
    replicas: 2
    engine: {kind: llama.cpp, slots: 2, context: 256, threads: 1, cacheRam: 0, startTimeout: 120s, env: {GGML_BACKEND_PATH: ${llamaTree()?.backend ?? ''}}}
    target: {kind: kubernetes, image: "${llamaImage}", pull: Never, preStop: 0, entrypoint: ${JSON.stringify(llamaProgram)}}
    resources: {requests: {cpu: 10m, memory: 64Mi}}
`;
    }

    function kubectl(...args: string[]): string {
      return box.kubectl('-n', 'llm', ...args);
    }

    const askForPods = ['get', 'pods', '-l', 'app.kubernetes.io/name=berth-gateway', '-o', 'json'];

    /** Pods that serve now, by name, with their addresses. Beside the load, which a command that is waited for would hold up. */
    async function gateways(): Promise<{ name: string; url: string }[]> {
      return ready(await box.kubectlBeside('-n', 'llm', ...askForPods));
    }

    function ready(pods: string): { name: string; url: string }[] {
      const list = JSON.parse(pods) as {
        items: {
          metadata: { name: string; deletionTimestamp?: string };
          status: { podIP?: string; conditions?: { type: string; status: string }[] };
        }[];
      };
      return list.items.flatMap(({ metadata, status }) =>
        !metadata.deletionTimestamp &&
        status.podIP &&
        status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')
          ? [{ name: metadata.name, url: `http://${status.podIP}:8484` }]
          : [],
      );
    }

    async function ask(url: string): Promise<{ status: number; left: number }> {
      try {
        const reply = await fetch(`${url}/v1/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
          body: JSON.stringify({ model: 'toy', prompt: 'a', max_tokens: 2 }),
          signal: AbortSignal.timeout(20_000),
        });
        await reply.arrayBuffer();
        return { status: reply.status, left: Number(reply.headers.get('x-ratelimit-remaining-requests')) };
      } catch {
        return { status: 0, left: Number.NaN };
      }
    }

    /**
     * Requests without an end, each sent once, to pods that are ready by the cluster's word, as through a Service. Gives what became
     * of each.
     */
    async function startLoad(): Promise<{ stop: () => Promise<{ url: string; status: number }[]> }> {
      const sent: { url: string; status: number }[] = [];
      let [serving, ended] = [await gateways(), false];
      async function look(): Promise<void> {
        while (!ended) {
          await new Promise((done) => setTimeout(done, 500));
          serving = await gateways();
        }
      }
      async function send(worker: number): Promise<void> {
        for (let turn = worker; !ended; turn += 1) {
          const url = serving[turn % Math.max(1, serving.length)]?.url ?? '';
          sent.push({ url, status: (await ask(url)).status });
        }
      }
      const all = Promise.all([look(), ...[0, 1, 2, 3].map(send)]);
      return {
        stop: async () => {
          ended = true;
          await all;
          return sent;
        },
      };
    }

    async function sharedUp(url: string): Promise<string> {
      try {
        const text = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) })).text();
        return /^berth_gateway_shared_limits_up (\d)/m.exec(text)?.[1] ?? '';
      } catch {
        return '';
      }
    }

    test('kubectl alone brings up what berth renders; two gateways share a limit and outlive one of them, and Redis', async () => {
      const rendered = await place.berth('render', '--format', 'kustomize', '--out', 'deploy');
      expect(rendered.code, rendered.stderr).toBe(0);
      expect(rendered.stderr).toContain(
        '"CI_KEY=${CI_KEY:?}" | kubectl create secret generic berth-gateway-secrets -n llm --from-env-file=/dev/stdin',
      );
      kubectl('create', 'secret', 'generic', 'berth-gateway-secrets', `--from-literal=CI_KEY=${key}`);
      kubectl('label', 'secret', 'berth-gateway-secrets', ...labelsIn(rendered.stderr));
      box.kubectl('apply', '-k', join(place.folder, 'deploy/overlays/all'));

      await until(async () => (await gateways()).length === 2, 'two gateways', 240_000);
      for (const { url } of await gateways())
        await until(async () => (await ask(url)).status === 200, 'an answer', 120_000);
      await expectNothingToDo();
      for (const { url } of await gateways())
        await until(async () => (await sharedUp(url)) === '1', 'the store');

      // What one was asked counts at the other.
      const [one, two] = await gateways();
      const first = await ask(one?.url ?? '');
      const second = await ask(two?.url ?? '');
      const third = await ask(one?.url ?? '');
      expect([first.status, second.status, third.status]).toEqual([200, 200, 200]);
      expect([first.left - second.left, second.left - third.left]).toEqual([1, 1]);

      // Of two, one is killed under load: what the other is asked is answered, and another comes in its place. Only requests that
      // were on their way at the killed one can be lost.
      const killed = await startLoad();
      await box.kubectlBeside('-n', 'llm', 'delete', 'pod', one?.name ?? '', '--grace-period=0', '--force');
      await until(async () => (await gateways()).length === 2, 'another gateway', 240_000);
      const besideDeath = await killed.stop();
      const lost = besideDeath.filter(({ status }) => status !== 200);
      console.info(`a gateway killed: ${lost.length} of ${besideDeath.length} requests lost, all at it`);
      expect(lost.filter(({ url, status }) => url !== one?.url || status !== 0)).toEqual([]);
      expect(
        besideDeath.filter(({ url, status }) => url === two?.url && status === 200).length,
      ).toBeGreaterThan(0);

      // One that is ended as the cluster ends pods, and Redis that is killed: no request is lost.
      const load = await startLoad();
      await box.kubectlBeside('-n', 'llm', 'delete', 'pod', two?.name ?? '', '--wait=false');
      await until(
        async () => (await gateways()).every(({ name }) => name !== two?.name),
        'the end to be seen',
      );
      await until(async () => (await gateways()).length === 2, 'a third gateway', 240_000);
      redis.kill('SIGKILL');
      for (const { url } of await gateways())
        await until(async () => (await sharedUp(url)) === '0', 'the loss of the store to be seen');
      const besideLoss = await load.stop();
      console.info(`a gateway ended, and Redis killed: ${besideLoss.length} requests, none lost`);
      expect(besideLoss.filter(({ status }) => status !== 200)).toEqual([]);
      // The pause before the end was one: a hook that fails lets a pod end at once.
      const unpaused = `reason=FailedPreStopHook,involvedObject.name=${two?.name}`;
      expect(kubectl('get', 'events', '--field-selector', unpaused, '-o', 'name')).toBe('');

      // Without Redis each counts alone and serves on; it is back: they count together again.
      for (const { url } of await gateways()) {
        expect(await sharedUp(url)).toBe('0');
        expect((await ask(url)).status).toBe(200);
      }
      redis = startRedis();
      for (const { url } of await gateways())
        await until(async () => (await sharedUp(url)) === '1', 'the store again');
      const [three, four] = await gateways();
      const before = await ask(three?.url ?? '');
      expect(before.left - (await ask(four?.url ?? '')).left).toBe(1);

      // Whoever applies files alone is told of a secret that is another by now.
      place.env['CI_KEY'] = 'another-key-of-a-test';
      expect((await place.berth('plan')).stdout).toContain('secret CI_KEY changed: other pods');
      place.env['CI_KEY'] = key;

      // An engine that comes back with another address is found.
      kubectl('delete', 'pod', '-l', 'app.kubernetes.io/name=toy', '--grace-period=0', '--force');
      for (const { url } of await gateways())
        await until(async () => (await ask(url)).status === 200, 'the new engines', 120_000);

      // Least rights: it may see where pods answer, and neither pods nor secrets.
      expect([canI('list', 'endpointslices'), canI('watch', 'endpointslices')]).toEqual(['yes', 'yes']);
      expect([canI('list', 'pods'), canI('get', 'secrets'), canI('delete', 'endpointslices')]).toEqual([
        'no',
        'no',
        'no',
      ]);
    });

    async function expectNothingToDo(): Promise<void> {
      const ran = await place.berth('plan', '--json');
      expect(ran.code, ran.stderr).toBe(0);
      const plan: Plan = ran.json();
      const all = [...plan.actions, ...(plan.gateways ?? [])].map((action) => action.do);
      expect([all, plan.findings]).toEqual([['keep', 'keep', 'keep'], []]);
    }

    test('apply makes what render writes, changes it when the file does, and down leaves nothing of it', async () => {
      const down = await place.berth('down');
      expect([down.code, down.stdout]).toEqual([0, expect.stringContaining('the gateway on box')]);
      const kinds =
        'deployments,services,serviceaccounts,roles,rolebindings,networkpolicies,poddisruptionbudgets,secrets,configmaps';
      expect(
        kubectl('get', kinds, '-o', 'name')
          .split('\n')
          .filter((name) => /berth|toy/.test(name)),
      ).toEqual([]);

      const applied = await place.berth('apply', '--yes');
      expect(applied.code, applied.stdout + applied.stderr).toBe(0);
      expect(applied.stdout).toContain('start gateway (box)');
      await expectNothingToDo();
      // What is applied and what is rendered are the same to the server.
      expect(kubectl('diff', '-k', join(place.folder, 'deploy/overlays/all'))).toBe('');
      for (const { url } of await gateways())
        await until(async () => (await ask(url)).status === 200, 'an answer', 120_000);
      expect((await place.berth('logs', 'gateway')).stdout).toContain('Serving');

      place.write(fleet(1));
      expect((await place.berth('plan')).stdout).toContain('gateway.replicas: 2 → 1');
      expect((await place.berth('apply', '--yes')).code).toBe(0);
      await until(async () => (await gateways()).length === 1, 'one gateway');
      const status = await place.berth('status', '--check');
      expect([status.code, status.stdout]).toEqual([0, expect.stringContaining('1 of 1 pods ready')]);

      // Somebody else changes it: that is told, and taken back when it is asked for.
      kubectl('scale', 'deployment/berth-gateway', '--replicas=2');
      expect((await place.berth('plan')).stdout).toContain('somebody changed');
      const again = await place.berth('apply', '--yes', '--restart', 'gateway');
      expect(again.code, again.stdout + again.stderr).toBe(0);
      expect((await place.berth('down')).code).toBe(0);
    });

    test('a change of the gateway that never serves is undone, and the pods of before serve on', async () => {
      place.write(fleet(1));
      const applied = await place.berth('apply', '--yes');
      expect(applied.code, applied.stdout + applied.stderr).toBe(0);
      const before = await gateways();
      place.write(
        fleet(1)
          .replace(berthImage, 'localhost/nowhere:1')
          .replace('  replicas: 1', '  listen: ["0.0.0.0:9494"]\n  replicas: 1'),
      );
      const failed = await place.berth('apply', '--yes');
      expect(failed.code).not.toBe(0);
      expect(failed.stdout + failed.stderr).toContain('is as it was before, since its change did not serve');
      kubectl('rollout', 'status', 'deployment/berth-gateway', '--timeout=120s');
      place.write(fleet(1));
      await expectNothingToDo();
      expect(await gateways()).toEqual(before);
      const ports = ['get', 'service', 'berth-gateway', '-o', 'jsonpath={.spec.ports[*].port}'];
      expect(kubectl(...ports)).toBe('8484');
      expect((await place.berth('down')).code).toBe(0);
    });

    test('pods speak TLS by a Secret of the cluster, and take a renewed one without an end', async () => {
      const authority = makeAuthority();
      place.write(fleet(1).replace('  replicas: 1', '  tls: {secret: web-tls}\n  replicas: 1'));
      const without = await place.berth('apply', '--yes');
      expect(without.code).not.toBe(0);
      expect(without.stdout + without.stderr).toContain('Secret web-tls');
      const first = authority.issue('first', { names: 'DNS:gateway.lab' });
      kubectl('create', 'secret', 'tls', 'web-tls', `--cert=${first.certFile}`, `--key=${first.keyFile}`);
      const applied = await place.berth('apply', '--yes');
      expect(applied.code, applied.stdout + applied.stderr).toBe(0);
      await expectNothingToDo();
      const status = await place.berth('status');
      expect(status.stdout).toContain('https://berth-gateway.llm:8484');
      const [{ name, url } = { name: '', url: '' }] = await gateways();
      const ca = authority.cert;
      expect(await askByTls(url, { ca, path: '/v1/models' })).toEqual([200, 'first']);

      const second = authority.issue('second', { names: 'DNS:gateway.lab' });
      const data = { 'tls.crt': second.certFile, 'tls.key': second.keyFile };
      const encoded = Object.entries(data).map(([key, path]) => [key, readFileSync(path).toString('base64')]);
      const patch = JSON.stringify({ data: Object.fromEntries(encoded) });
      kubectl('patch', 'secret', 'web-tls', '--patch', patch);
      await until(
        async () => (await askByTls(url, { ca, path: '/healthz' }))[1] === 'second',
        'the renewed certificate',
        180_000,
      );
      expect((await gateways()).map((one) => one.name)).toEqual([name]);
      await expectNothingToDo();
      expect((await place.berth('down')).code).toBe(0);
      expect(kubectl('get', 'secret', 'web-tls', '-o', 'name')).toContain('web-tls');
    });

    /** The status, and the common name of the certificate that was shown. */
    function askByTls(
      url: string,
      { ca, path }: { ca: string; path: string },
    ): Promise<readonly [number | undefined, unknown]> {
      const { hostname, port } = new URL(url);
      const how = {
        host: hostname,
        port,
        path,
        ca,
        servername: 'gateway.lab',
        agent: false,
        headers: { authorization: `Bearer ${key}` },
      };
      return new Promise((done, fail) => {
        https
          .get(how, (reply) => {
            const shown = (reply.socket as TLSSocket).getPeerCertificate().subject.CN;
            reply.resume().once('end', () => done([reply.statusCode, shown]));
          })
          .once('error', fail);
      });
    }

    function canI(verb: string, what: string): string {
      try {
        return kubectl('auth', 'can-i', verb, what, '--as=system:serviceaccount:llm:berth-gateway').trim();
      } catch (error) {
        return String((error as { stdout?: string }).stdout).trim();
      }
    }
  },
);

/** Those of the last command that was printed. */
function labelsIn(text: string): string[] {
  const [line = ''] = text.split('\n').filter((one) => one.includes('berth-gateway-secrets'));
  return line.split(' ').filter((word) => /^[a-z./-]+=/.test(word) && !word.startsWith('--'));
}
