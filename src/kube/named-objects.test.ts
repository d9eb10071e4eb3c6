import { expect, test } from 'vitest';
import { bareSpec } from '../../test/support/bare-spec.ts';
import { servedCluster } from '../../test/support/kube-server.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { namedBy, namedFindings } from './named-objects.ts';

const spec: LaunchSpec = {
  ...bareSpec,
  program: {},
  secrets: {
    hub: { secretRef: { name: 'hub', key: 'token' } },
    own: { env: 'KEY' },
    token: { serviceAccount: 'workload' },
  },
  stop: { signal: 'SIGTERM', graceMs: 10_000 },
};

const named = namedBy(spec, { pullSecrets: ['registry'] });
const there = { metadata: { name: 'x', uid: 'u' } };

test('what pods name and nobody has made is told, by how much they need it', async () => {
  const { place } = await servedCluster(() => undefined);
  const findings = await namedFindings(place, { deployment: 'big' }, named);
  expect(findings.map(({ severity, message }) => [severity, message])).toEqual([
    ['critical', 'There is no Secret hub in namespace llm: pods would wait for it.'],
    ['critical', 'There is no ServiceAccount workload in namespace llm: pods could not be made without it.'],
    [
      'warning',
      'There is no Secret registry in namespace llm: pods would pull their image without its keys.',
    ],
  ]);
});

test('what is there is no finding, and of a Secret nothing but its metadata is asked for', async () => {
  const { place, asked } = await servedCluster(() => [200, there]);
  expect(await namedFindings(place, { deployment: 'big' }, named)).toEqual([]);
  expect(asked.map(({ key }) => key).toSorted()).toEqual([
    'GET /api/v1/namespaces/llm/secrets/hub',
    'GET /api/v1/namespaces/llm/secrets/registry',
    'GET /api/v1/namespaces/llm/serviceaccounts/workload',
  ]);
  for (const { accept } of asked) expect(accept).toContain('as=PartialObjectMetadata');
});

test('who may not look at Secrets is told nothing of them', async () => {
  const { place } = await servedCluster(() => [403, { message: 'secrets "hub" is forbidden' }]);
  expect(await namedFindings(place, { deployment: 'big' }, named)).toEqual([]);
});

test('the Secret of a fetch counts, too', () => {
  const fetched: NonNullable<LaunchSpec['fetched']> = {
    from: 'hf://a/b',
    claim: 'weights',
    folder: '',
    size: '1Gi',
    access: 'ReadWriteOnce',
    image: 'e:1',
    entrypoint: ['/fetch'],
    secret: 'hub',
  };
  const found = namedBy({ ...spec, secrets: {}, fetched }, { pullSecrets: [], serviceAccount: 'models' });
  expect(found.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['Secret hub', 'ServiceAccount models']);
});
