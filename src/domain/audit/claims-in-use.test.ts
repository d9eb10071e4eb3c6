import { expect, test } from 'vitest';
import { claimUsers } from './claims-in-use.ts';
import { KubeObject } from './kube-object.ts';
import type { Workload } from './kube-object.ts';

function object(kind: string, name: string, spec: object = {}): KubeObject {
  return KubeObject.parse({ kind, metadata: { name }, spec });
}

const web = object('Deployment', 'web');
const workloads = [
  { object: web, pod: { volumes: [{ persistentVolumeClaim: { claimName: 'files' } }, {}] } },
] as unknown as Workload[];
const objects = [
  object('PersistentVolumeClaim', 'copy', { dataSource: { claimName: 'files' } }),
  object('InferenceService', 'granite', { storageUri: 'pvc://models/granite', other: 'pvc://models/x' }),
  object('Job', 'fill', { volumes: [{ persistentVolumeClaim: { claimName: 'models' } }] }),
  object('StatefulSet', 'db', { volumeClaimTemplates: [{ metadata: { name: 'data' } }] }),
  object('Model', 'chat', { url: 'pvc://weights/chat', cacheProfile: 'fast' }),
  object('Model', 'other', { url: 'hf://org/other' }),
];

test.each([
  ['weights', ['chat']],
  ['shared-model-cache-fast', ['chat']],
  ['shared-model-cache-slow', []],
  ['files', ['web']],
  ['models', ['granite', 'fill']],
  ['data-db-0', ['db']],
  ['data-db-12', ['db']],
  ['data-db', []],
  ['data-db-x', []],
  ['other', []],
])('who names the claim %s: %j', (claim, users) => {
  expect(claimUsers(objects, workloads)(claim).map(({ metadata }) => metadata.name)).toEqual(users);
});

test('objects are looked through once, however many claims are asked for', () => {
  let read = 0;
  const counted = {
    ...object('Job', 'fill'),
    get spec() {
      read += 1;
      return { claimName: 'a' };
    },
  };
  const usersOf = claimUsers([counted], []);
  const before = read;
  expect(['a', 'b', 'a'].map((name) => usersOf(name).length)).toEqual([1, 0, 1]);
  expect(read).toBe(before);
});
