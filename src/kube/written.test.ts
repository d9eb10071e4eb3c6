import { expect, test } from 'vitest';
import type { KubeObject } from './object.ts';
import { otherLines, readWritten, writtenText } from './written.ts';

const service: KubeObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'a', labels: { x: '1' } },
  spec: { type: 'ClusterIP', ports: [{ name: 'http', port: 80 }] },
};
const policy: KubeObject = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'a' },
};

test('objects that were kept come back as they were sent; what is no list of objects is as nothing', () => {
  expect(readWritten(writtenText([service, policy]))).toEqual([service, policy]);
  for (const text of [undefined, null, '', '{"a": 1}', '[{"kind": "Service"}]'])
    expect(readWritten(text)).toBeNull();
});

test('what would be sent otherwise is told field by field, named lists by their names, and whole objects as such', () => {
  const now = { ...service, spec: { type: 'NodePort', ports: [{ name: 'http', port: 81 }] } };
  expect(otherLines([service], [service])).toEqual([]);
  expect(otherLines([service, policy], [now])).toEqual([
    'Service a: - spec.type: ClusterIP',
    'Service a: + spec.type: NodePort',
    'Service a: - spec.ports.http.port: 80',
    'Service a: + spec.ports.http.port: 81',
    'NetworkPolicy a: - the whole object',
  ]);
  expect(otherLines([], [policy])).toEqual(['NetworkPolicy a: + the whole object']);
});
