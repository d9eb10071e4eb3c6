import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makePlace } from '../../support/berth.ts';
import type { Place, Ran } from '../../support/berth.ts';
import { canaries, filesWith } from '../../support/canary.ts';
import { startModelRegistry } from '../../support/model-registry.ts';
import type { ModelRegistry } from '../../support/model-registry.ts';
import { s3Keys, startS3 } from '../../support/s3-server.ts';
import type { S3Server } from '../../support/s3-server.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import type { ScriptedServer } from '../../support/scripted-server.ts';

vi.setConfig({ testTimeout: 120_000 });

let place: Place;
let engine: ScriptedServer;
let s3: S3Server;
let registry: ModelRegistry | null = null;

beforeEach(async () => {
  place = makePlace();
  engine = await startScriptedServer();
  s3 = await startS3(null);
  s3.objects.set('results/.keep', Buffer.from(''));
});

afterEach(async () => {
  await place.close();
  await engine.close();
  await s3.stop();
  await registry?.close();
  registry = null;
});

function fleet(publish: string, url: string, more = ''): void {
  place.write(`version: 1
fleet: lab
hosts: {box: {local: true, price: {hour: 2}}}
secrets: {store: "\${file:./s3.env}", registry: "\${env:REGISTRY_TOKEN}"}
publishers:
  registry: {kind: model-registry, url: "${url}", auth: registry, as: [properties, description], models: {a: {name: Mistral, version: "2501"}}}
  s3: {kind: s3, bucket: results, endpoint: "${s3.url}", region: ${s3Keys.region}, secret: store}
deployments: {a: {engine: {kind: openai, url: "${engine.url}"}}}
benchmarks:
  short:
    of: a
    profile: {kind: concurrent, streams: [1, 2]}
    data: {kind: synthetic, prompt: 16, output: 4}
    requests: 4
    price: {from: host}
    calibrate: false
    publish: ${publish}
${more}`);
  place.write(`AWS_ACCESS_KEY_ID=${s3Keys.id}\nAWS_SECRET_ACCESS_KEY=${s3Keys.secret}\n`, 's3.env');
}

interface Told {
  readonly runs: readonly {
    readonly report: { readonly id: string };
    readonly published: readonly {
      publisher: string;
      address: string | null;
      error: { code: string } | null;
    }[];
  }[];
}

function measured(ran: Ran): Told['runs'][number] {
  expect([0, 1, 5], ran.stderr + ran.stdout).toContain(ran.code);
  const [run] = (ran.json() as Told).runs;
  if (!run) throw new Error('there is no run');
  return run;
}

test('a run is told to a registry and put into S3, the registry names the place, and no secret shows', async () => {
  const found = canaries();
  found.add('s3', s3Keys.secret);
  place.env['REGISTRY_TOKEN'] = found.make('registry');
  registry = await startModelRegistry({ token: place.env['REGISTRY_TOKEN'] });
  registry.entities.push(
    { id: '1', kind: 'model', parent: null, name: 'Mistral', customProperties: {} },
    {
      id: '2',
      kind: 'version',
      parent: '1',
      name: '2501',
      description: 'Hand-written.',
      customProperties: { owner: { metadataType: 'MetadataStringValue', string_value: 'me' } },
    },
  );
  fleet('[registry, s3]', registry.url);
  const ran = await place.berth('bench', 'short', '--json');
  const { report, published } = measured(ran);
  const uri = `s3://results/berth/v1/model=a/run=${report.id}/`;
  expect(published).toEqual([
    { publisher: 's3', address: uri, error: null },
    { publisher: 'registry', address: expect.stringContaining('model Mistral, version 2501'), error: null },
  ]);
  const names = [...s3.objects.keys()].filter((name) => name.includes(report.id));
  expect(new Set(names.map((name) => name.split('/').at(-1)))).toEqual(
    new Set(['manifest.json', 'records.parquet', 'report.csv', 'report.html', 'report.json']),
  );
  const folder = `results/berth/v1/model=a/run=${report.id}`;
  const manifest = JSON.parse(String(s3.objects.get(`${folder}/manifest.json`))) as {
    files: { name: string; sha256: string }[];
  };
  for (const { name, sha256 } of manifest.files)
    expect(
      createHash('sha256')
        .update(s3.objects.get(`${folder}/${name}`) ?? '')
        .digest('hex'),
    ).toBe(sha256);
  expect(JSON.parse(String(s3.objects.get('results/berth/v1/model=a/latest.json')))).toMatchObject({ uri });
  const [, version, artifact] = registry.entities;
  expect(version?.customProperties).toMatchObject({
    owner: { string_value: 'me' },
    'berth.run_id': { string_value: report.id },
    'berth.report_uri': { string_value: uri },
    'berth.price_usd_per_hour': { double_value: 2 },
    'berth.price_source': { string_value: 'hosts.box.price' },
    'berth.output_tokens_per_second': { metadataType: 'MetadataDoubleValue' },
    'berth.cost_usd_per_1m_output_tokens': { metadataType: 'MetadataDoubleValue' },
  });
  expect(version?.description).toMatch(/^Hand-written\.\n\n<!-- berth -->\nMeasured/);
  expect(artifact).toMatchObject({ kind: 'artifact', parent: '2', externalId: `berth:${report.id}`, uri });
  expect(artifact?.customProperties).toHaveProperty(['berth.stage1.output_tokens_per_second']);
  expect(found.in(ran.stdout + ran.stderr + JSON.stringify(registry.entities))).toEqual([]);
  expect(filesWith(found, `${place.folder}/state`).open).toEqual([]);
});

test('what could not be told is told with the run, which is kept and told again by hand, changing nothing twice', async () => {
  place.env['REGISTRY_TOKEN'] = 'right';
  fleet('[registry]', 'http://127.0.0.1:9/registry');
  const ran = await place.berth('bench', 'short', '--json');
  const { report, published } = measured(ran);
  expect([ran.code, published[0]?.error?.code]).toEqual([1, 'PUBLISH_FAILED']);
  registry = await startModelRegistry({ version: 'v1alpha3', token: 'right' });
  fleet('[registry]', registry.url);
  for (let times = 0; times < 2; times += 1) {
    const again = await place.berth('report', report.id, '--publish', 'registry', '--json');
    expect(again.code, again.stderr + again.stdout).toBe(0);
  }
  expect(registry.entities.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    'model Mistral',
    'version 2501',
    `artifact bench-${report.id}`,
  ]);
  const [, version] = registry.entities;
  expect(version?.description?.match(/<!-- berth -->/g)).toHaveLength(1);
  const unknown = await place.berth('report', report.id, '--publish', 'nobody');
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('It has: registry, s3.')]);
});

test('properties that somebody else writes meanwhile and that ours are lost to are written once more', async () => {
  place.env['REGISTRY_TOKEN'] = 'right';
  registry = await startModelRegistry({ token: 'right' });
  fleet('[registry]', registry.url);
  const there = registry;
  const { report } = measured(await place.berth('bench', 'short', '--json'));
  const [, version] = there.entities;
  // The change answers as if it were kept, and another one takes its place at once.
  let writes = 0;
  Object.defineProperty(version, 'customProperties', {
    get: () => (writes === 1 ? { theirs: { metadataType: 'MetadataStringValue', string_value: 'x' } } : kept),
    set: (value: Record<string, unknown>) => {
      writes += 1;
      kept = value;
    },
  });
  let kept: Record<string, unknown> = {};
  const again = await place.berth('report', report.id, '--publish', 'registry', '--json');
  expect(again.code, again.stderr + again.stdout).toBe(0);
  expect(writes).toBe(2);
  expect(kept).toHaveProperty(['theirs']);
  expect(kept).toHaveProperty(['berth.run_id']);
});

test('a registry that refuses the token is told without it', async () => {
  const found = canaries();
  place.env['REGISTRY_TOKEN'] = found.make('registry');
  registry = await startModelRegistry({ token: 'another' });
  fleet('[registry]', registry.url);
  const ran = await place.berth('bench', 'short');
  expect(ran.code).toBe(1);
  expect(ran.stdout).toContain('it answers 401: the token is not let in');
  expect(found.in(ran.stdout + ran.stderr)).toEqual([]);
});
