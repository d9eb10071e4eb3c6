import { expect, test } from 'vitest';
import type { Hosts } from '../file/hosts.ts';
import { clustersOnce } from './look.ts';

test('a cluster that has two names in the file is one place, by the name that the gateway is wanted on', () => {
  const kubernetes = { context: 'k3s', namespace: 'llm', createNamespace: false };
  const hosts: Hosts = {
    local: { become: 'none' },
    first: { become: 'none', kubernetes },
    second: { become: 'none', kubernetes },
    other: { become: 'none', kubernetes: { ...kubernetes, namespace: 'lab' } },
  };
  expect(clustersOnce(hosts, 'first').toSorted()).toEqual(['first', 'other']);
  expect(clustersOnce(hosts, 'second').toSorted()).toEqual(['other', 'second']);
  expect(clustersOnce(hosts, undefined)).toHaveLength(2);
});
