import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';

interface Cluster {
  readonly url: string;
  /** Objects as they were applied, in their order. */
  readonly applied: {
    kind: string;
    metadata: { name: string; ownerReferences?: unknown[] };
    spec?: unknown;
    data?: Record<string, string>;
  }[];
}

/**
 * An API server at the wire for one Job: it takes what is applied, its pod waits for a node first, then says two lines, and ends
 * with this code.
 */
async function cluster(exitCode: number): Promise<Cluster> {
  const applied: Cluster['applied'] = [];
  let looks = 0;
  let read = false;
  function podOf(name: string): object {
    const begun = looks > 1;
    const state = read ? { terminated: { exitCode } } : { running: { startedAt: '2026-01-01T00:00:00Z' } };
    return {
      metadata: { name: `${name}-x1`, uid: 'p1' },
      status: {
        phase: begun ? 'Running' : 'Pending',
        conditions: begun
          ? []
          : [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes are available' }],
        containerStatuses: begun ? [{ name: 'bench', state }] : [],
      },
    };
  }
  function answer(method: string, url: string, body: string, reply: ServerResponse): void {
    function json(value: object): void {
      reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    }
    const [path = '', query = ''] = url.split('?');
    if (method === 'PATCH') {
      const object = JSON.parse(body) as Cluster['applied'][number];
      applied.push(object);
      return json({ ...object, metadata: { ...object.metadata, uid: `uid-${applied.length}` } });
    }
    const [, job = ''] = /job-name%3D([a-z0-9-]+)/.exec(query) ?? [];
    if (path.endsWith('/pods')) {
      looks += 1;
      return json({ metadata: {}, items: [podOf(job)] });
    }
    if (path.endsWith('/log')) {
      read = true;
      return void reply.writeHead(200, { 'content-type': 'text/plain' }).end('1 stream for 5 s\ndone\n');
    }
    const type = exitCode === 0 ? 'Complete' : 'Failed';
    const conditions = read
      ? [{ type, status: 'True', message: exitCode === 0 ? null : 'BackoffLimit' }]
      : [];
    json({ metadata: { name: 'job', uid: 'j1' }, status: { conditions } });
  }
  const server = createServer((request, reply) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => answer(request.method ?? '', request.url ?? '', body, reply));
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, applied };
}

function placeAt({ url }: Cluster, target = '{kind: kubernetes}'): Place {
  const place = makePlace();
  onTestFinished(() => place.close());
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: url } }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'box', context: { cluster: 'c', user: 'u' } }],
  };
  place.write(JSON.stringify(config), 'kube.yaml');
  place.env['KUBECONFIG'] = join(place.folder, 'kube.yaml');
  place.write(`version: 1
fleet: lab
hosts: {box: {kubernetes: {context: box, namespace: llm}}}
models: {m: {source: "pvc://models/m.gguf"}}
deployments: {a: {model: m, port: 8080, engine: {kind: llama.cpp}, target: ${target}}}
benchmarks:
  night: {of: a, profile: {kind: synchronous}, requests: 3, runsOn: box, image: "berth:1", schedule: "0 2 * * *"}
`);
  return place;
}

test('a benchmark of a cluster is started there as a Job of its own name, and followed to its end', async () => {
  const there = await cluster(0);
  const place = placeAt(there);
  const ran = await place.berth('bench', 'night', '--json');
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  expect(there.applied.map(({ kind }) => kind)).toEqual(['Job', 'ConfigMap']);
  const [job, config] = there.applied;
  expect(job?.metadata.name).toMatch(/^bench-night-\d{8}t\d{6}$/);
  expect(config?.metadata).toMatchObject({
    name: job?.metadata.name,
    ownerReferences: [{ kind: 'Job', name: job?.metadata.name, uid: 'uid-1' }],
  });
  expect(ran.json()).toMatchObject({
    jobs: [{ benchmark: 'night', namespace: 'llm', job: job?.metadata.name, complete: true, exitCode: 0 }],
  });
  expect(ran.stderr).toContain('waits: 0/1 nodes are available');
  expect(ran.stderr).toContain('1 stream for 5 s\ndone');
});

test('it ends as its client did, and other settings than those of the file start nothing', async () => {
  const there = await cluster(3);
  const place = placeAt(there);
  const missed = await place.berth('bench', 'night');
  expect([missed.code, missed.stdout]).toEqual([
    3,
    expect.stringContaining('ended with exit code 3 (BackoffLimit)'),
  ]);
  const before = there.applied.length;
  const changed = await place.berth('bench', 'night', '--max-requests', '9');
  expect([changed.code, changed.stderr]).toEqual([
    2,
    expect.stringContaining('by itself and without options'),
  ]);
  expect(there.applied).toHaveLength(before);
});

test('its client asks the engine at the Service that the file names, else at that of its own name', async () => {
  async function urlsBy(target?: string): Promise<string[]> {
    const there = await cluster(0);
    expect((await placeAt(there, target).berth('bench', 'night')).code).toBe(0);
    const text = JSON.stringify(there.applied.find(({ kind }) => kind === 'ConfigMap')?.data);
    return text.match(/http:[^\s"\\]+/g) ?? [];
  }
  expect(await urlsBy()).toEqual(['http://a.llm.svc:8080']);
  expect(await urlsBy('{kind: kubernetes, service: {name: a-berth}}')).toEqual([
    'http://a-berth.llm.svc:8080',
  ]);
});
