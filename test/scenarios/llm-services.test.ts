import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { FleetLoad } from '../../src/domain/fleet-load.ts';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 120_000 });

const group = '/apis/serving.kserve.io/v1alpha1';
const list = `${group}/namespaces/llm/llminferenceservices`;
const forbidden = {
  status: 403,
  json: { message: 'it is forbidden: User "bob" cannot list', reason: 'Forbidden' },
};

/** A fleet with an InferenceService in a cluster that says this, and has nothing of all else. */
async function placeWith(said: Readonly<Record<string, { status: number; json: object }>>): Promise<Place> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const known = said[path];
    const { status, json } = known ?? { status: 200, json: { items: [] } };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const place = makePlace();
  onTestFinished(async () => {
    await place.close();
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  place.write(
    `clusters: [{name: c, cluster: {server: "http://127.0.0.1:${port}"}}]
contexts: [{name: ocp, context: {cluster: c, user: u}}]
users: [{name: u, user: {token: t}}]`,
    'kubeconfig',
  );
  place.env['KUBECONFIG'] = join(place.folder, 'kubeconfig');
  place.write(`version: 1
fleet: lab
hosts: {ocp: {kubernetes: {context: ocp, namespace: llm}}}
models: {m: {source: "hf://a/b"}}
deployments: {m: {host: ocp, model: m, engine: {kind: vllm}, target: {kind: kserve}}}`);
  return place;
}

async function statusIn(place: Place): Promise<FleetStatus> {
  return (await place.berth('status', '--json')).json();
}

const services = [
  {
    metadata: { name: 'mistral', uid: '2' },
    spec: { model: { uri: 'hf://mistralai/Mistral-Small', name: 'mistral' } },
    status: {
      conditions: [
        { type: 'RouterReady', status: 'False', reason: 'HTTPRoutesNotReady' },
        {
          type: 'Ready',
          status: 'False',
          reason: 'HTTPRoutesNotReady',
          message: 'no gateway\n takes the route',
        },
      ],
    },
  },
  {
    metadata: { name: 'granite', uid: '1' },
    spec: { model: { uri: 'pvc://weights/granite' } },
    status: {
      addresses: [{ url: 'http://granite.llm' }],
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  },
  {
    metadata: { name: 'parked', uid: '3', annotations: { 'serving.kserve.io/stop': 'true' } },
    spec: { model: { uri: 'oci://r/m:1' } },
  },
];

test("services of KServe's newer kind are told beside the fleet, by what KServe says of them", async () => {
  const place = await placeWith({ [list]: { status: 200, json: { items: services } } });
  expect((await statusIn(place)).llmServices).toEqual([
    {
      host: 'ocp',
      namespace: 'llm',
      unseen: null,
      services: [
        {
          name: 'granite',
          state: 'ready',
          reason: null,
          url: 'http://granite.llm',
          model: 'pvc://weights/granite',
        },
        {
          name: 'mistral',
          state: 'not ready',
          reason: 'HTTPRoutesNotReady: no gateway takes the route',
          url: null,
          model: 'hf://mistralai/Mistral-Small',
        },
        { name: 'parked', state: 'stopped', reason: null, url: null, model: 'oci://r/m:1' },
      ],
    },
  ]);
  const { stdout } = await place.berth('status');
  expect(stdout).toContain('LLMInferenceServices of ocp (namespace llm):\nNAME ');
  expect(stdout).toMatch(/^granite +ready +http:\/\/granite\.llm +pvc:\/\/weights\/granite$/m);
  expect(stdout).toContain('not ready (HTTPRoutesNotReady: no gateway takes the route)');
});

test('a cluster that has the kind and does not let it be listed is said to', async () => {
  const resources = { resources: [{ name: 'servingruntimes' }, { name: 'llminferenceservices' }] };
  const place = await placeWith({ [list]: forbidden, [group]: { status: 200, json: resources } });
  const [seen] = (await statusIn(place)).llmServices ?? [];
  expect([seen?.services, seen?.unseen]).toEqual([[], expect.stringContaining('User "bob" cannot list')]);
  expect((await place.berth('status')).stdout).toContain(
    'LLMInferenceServices of ocp (namespace llm) are not seen: ',
  );
});

test('one that lacks the kind, also where it forbids what it does not know, has none', async () => {
  const unknown = await placeWith({ [list]: { status: 404, json: {} } });
  expect(await statusIn(unknown)).not.toHaveProperty('llmServices');
  const resources = { resources: [{ name: 'servingruntimes' }] };
  const hidden = await placeWith({ [list]: forbidden, [group]: { status: 200, json: resources } });
  expect(await statusIn(hidden)).not.toHaveProperty('llmServices');
});

test('"berth top" and "berth describe" tell them as "berth status" does', async () => {
  const seen = services.map((one) => ({ ...one, metadata: { ...one.metadata, namespace: 'llm' } }));
  const everywhere = { status: 200, json: { items: seen } };
  const groups = {
    groups: [{ name: 'serving.kserve.io', versions: [{ version: 'v1alpha1' }, { version: 'v1beta1' }] }],
  };
  const place = await placeWith({
    [list]: { status: 200, json: { items: services } },
    [`${group}/llminferenceservices`]: everywhere,
    '/apis': { status: 200, json: groups },
  });
  const load = FleetLoad.parse((await place.berth('top', '--once', '--interval', '0.1', '--json')).json());
  expect(load.llmServices).toEqual((await statusIn(place)).llmServices);
  const top = await place.berth('top', '--once', '--interval', '0.1');
  expect(top.stdout).toMatch(/^granite +ready +http:\/\/granite\.llm +pvc:\/\/weights\/granite$/m);
  const described = await place.berth('describe');
  expect(described.code, described.stderr).toBe(0);
  expect(described.stdout).toContain('## LLMInferenceServices of KServe');
  expect(described.stdout).toContain(
    '| granite | ocp (namespace llm) | ready | http://granite.llm | pvc://weights/granite |',
  );
  expect(described.stdout).toContain('not ready (HTTPRoutesNotReady: no gateway takes the route)');
});
