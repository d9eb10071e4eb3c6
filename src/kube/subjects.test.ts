import { expect, test } from 'vitest';
import { servedCluster } from '../../test/support/kube-server.ts';
import { driftOf } from './foresee.ts';

const binding = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name: 'toy-view' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'toy-view-role' },
  subjects: [{ kind: 'ServiceAccount', name: 'toy-sa' }],
};

async function driftBeside(subject: object): Promise<unknown> {
  const metadata = { ...binding.metadata, uid: 'u', namespace: 'llm' };
  const { place, asked } = await servedCluster(({ key, body }) => {
    const object = key.startsWith('PATCH') ? (body as object) : { ...binding, subjects: [subject] };
    return [200, { ...object, metadata }];
  });
  const drift = await driftOf(place, [binding]);
  expect(asked.at(-1)?.body).toMatchObject({ subjects: [{ name: 'toy-sa', namespace: 'llm' }] });
  return drift;
}

test("an account of the binding's own namespace is the same with and without its name, and is sent with it", async () => {
  expect(await driftBeside({ kind: 'ServiceAccount', name: 'toy-sa' })).toEqual([]);
  expect(await driftBeside({ kind: 'ServiceAccount', name: 'toy-sa', namespace: 'llm' })).toEqual([]);
});

test('an account of another namespace is a change', async () => {
  expect(await driftBeside({ kind: 'ServiceAccount', name: 'toy-sa', namespace: 'other' })).toEqual([
    { field: 'RoleBinding toy-view subjects.toy-sa.namespace', marked: 'llm', live: 'other' },
  ]);
});
