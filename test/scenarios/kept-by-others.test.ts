import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Plan } from '../../src/domain/plan.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

const head = `version: 1
fleet: lab
id: k3x9
hosts: {k3s: {kubernetes: {context: k3s, namespace: llm}}}
models: {m: {source: "pvc://weights/m.gguf"}}
`;
const engines = `deployments:
  plain: {model: m, engine: {kind: llama.cpp}, target: {kind: kubernetes}}
  served: {model: m, engine: {kind: llama.cpp}, target: {kind: kserve, format: gguf}}
`;
const gateway = 'gateway: {host: k3s, image: "r/berth:1", keys: {ci: "${env:CI_KEY}"}}\n';

/** A cluster that has these objects, and takes all that it is sent as what it has. */
async function clusterWith(place: Place, objects: readonly KubeObject[]): Promise<void> {
  const server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    const [, plural = '', name] = /\/namespaces\/llm\/([a-z]+)(?:\/([^/]+))?$/.exec(path) ?? [];
    const ofKind = objects.filter(({ kind }) => `${kind.toLowerCase()}s` === plural);
    const one = ofKind.find(({ metadata }) => metadata.name === name);
    const json = name === undefined ? { items: ofKind } : (one ?? { message: 'it is not found' });
    request.resume();
    response
      .writeHead(name === undefined || one ? 200 : 404, { 'content-type': 'application/json' })
      .end(JSON.stringify(json));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  place.write(
    `clusters: [{name: c, cluster: {server: "http://127.0.0.1:${port}"}}]
contexts: [{name: k3s, context: {cluster: c, user: u}}]
users: [{name: u, user: {token: t}}]`,
    'kubeconfig',
  );
  place.env['KUBECONFIG'] = join(place.folder, 'kubeconfig');
}

/** The fleet as Helm, say, has made it of berth's own files. */
async function installed(place: Place, annotations: Record<string, string>): Promise<KubeObject[]> {
  place.write(head + gateway + engines);
  const { stdout } = await place.berth('render', '--format', 'kubernetes');
  return parseAllDocuments(stdout).map((one) => {
    const object = one.toJS() as KubeObject;
    const { metadata } = object;
    const own = { ...metadata.annotations, ...annotations };
    const uid = `uid-of-${object.kind}-${metadata.name}`;
    return { ...object, metadata: { ...metadata, uid, annotations: own } };
  });
}

async function endingPlan(annotations: Record<string, string>): Promise<{ place: Place; plan: Plan }> {
  const place = makePlace();
  onTestFinished(() => place.close());
  place.env['CI_KEY'] = 'k';
  await clusterWith(place, await installed(place, annotations));
  place.write(`${head}deployments: {}\n`);
  const ran = await place.berth('plan', '--json');
  const plan = ran.json() as Plan;
  expect(plan.actions.map(({ do: what, deployment }) => `${what} ${deployment}`).toSorted()).toEqual([
    'stop plain',
    'stop served',
  ]);
  expect(plan.gateways?.map((one) => one.do)).toEqual(['stop']);
  return { place, plan };
}

test('a plan says which of what it ends another program keeps, and an apply touches none of it', async () => {
  const { place, plan } = await endingPlan({ 'meta.helm.sh/release-name': 'lab' });
  const said = plan.findings.map(({ rule, severity, message }) => `${rule} ${severity}: ${message}`);
  expect(said.toSorted()).toEqual([
    'cluster critical: Deployment berth-gateway is tracked by Helm, which would undo what berth does.',
    'cluster critical: Deployment plain is tracked by Helm, which would undo what berth does.',
    'cluster critical: InferenceService served is tracked by Helm, which would undo what berth does.',
  ]);
  const applied = await place.berth('apply');
  expect(applied.code).toBe(1);
  for (const name of ['Deployment berth-gateway', 'Deployment plain', 'InferenceService served'])
    expect(applied.stderr).toContain(`${name} is tracked by Helm`);
});

test('of what nobody else keeps it says nothing', async () => {
  const { plan } = await endingPlan({});
  expect(plan.findings).toEqual([]);
});

test('what carries a mark in a cluster that names a target of machines is nobody of the fleet', async () => {
  const place = makePlace();
  onTestFinished(() => place.close());
  place.env['CI_KEY'] = 'k';
  const objects = (await installed(place, {})).map((one) => {
    const { annotations = {} } = one.metadata;
    const told = Object.entries(annotations).map(([name, text]) => [
      name,
      text.replace('"target":{"kind":"kubernetes"', '"target":{"kind":"process"'),
    ]);
    const metadata = { ...one.metadata, annotations: Object.fromEntries(told) as Record<string, string> };
    return { ...one, metadata };
  });
  expect(JSON.stringify(objects)).toContain('process');
  await clusterWith(place, objects);
  place.write(`${head}deployments: {}\n`);
  const { actions } = (await place.berth('plan', '--json')).json() as Plan;
  expect(actions.map(({ do: what, deployment }) => `${what} ${deployment}`)).toEqual(['stop served']);
});
