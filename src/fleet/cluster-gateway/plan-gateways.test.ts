import { expect, test } from 'vitest';
import type { ClusterGateway } from '../../domain/cluster-gateway.ts';
import { gatewayMark } from '../../render/gateway-objects.ts';
import type { SeenGateway } from './look.ts';
import { planGateways } from './plan-gateways.ts';

const gateway: ClusterGateway = {
  image: 'berth:1',
  replicas: 2,
  port: 8484,
  fleetFile: 'version: 1\n',
  variables: { KEY: { env: 'KEY' } },
  engineKeys: {},
  allowAnonymous: false,
  inFile: true,
  drainMs: 30_000,
};
const wanted = { host: 'k3s', gateway };
const calm = { silent: new Set<string>(), changed: [] };

function seenOn(host: string, of: ClusterGateway): SeenGateway {
  return { host, mark: gatewayMark(of), secrets: null };
}

test('a gateway is started where there is none, kept where it is as the file says, and changed for what differs', () => {
  expect(planGateways(wanted, [], calm).map((one) => one.do)).toEqual(['start']);
  const there = [seenOn('k3s', gateway)];
  expect(planGateways(wanted, there, calm).map((one) => one.do)).toEqual(['keep']);
  const anywhere = { ...gateway, anyUser: true as const };
  for (const [before, after, text] of [
    [gateway, anywhere, 'kubernetes.openshift: none → true'],
    [anywhere, gateway, 'kubernetes.openshift: true → none'],
  ] as const)
    expect(planGateways({ host: 'k3s', gateway: after }, [seenOn('k3s', before)], calm)).toMatchObject([
      { do: 'replace', reasons: [{ text }] },
    ]);
  const more = { host: 'k3s', gateway: { ...gateway, replicas: 3, fleetFile: 'version: 1\nfleet: x\n' } };
  expect(planGateways(more, there, calm)).toMatchObject([
    {
      do: 'replace',
      reasons: [
        { field: 'gateway.replicas', text: 'gateway.replicas: 2 → 3' },
        { field: null, text: 'what it reads of the fleet file has changed' },
      ],
    },
  ]);
});

test('where the secret lies makes no difference to what runs', () => {
  const there = { ...gateway, variables: { KEY: { env: 'KEY', dotenv: '/home/me/.env' } } };
  expect(gatewayMark(there)).toEqual(gatewayMark(gateway));
});

test('one that moved ends where it was, after the new one; one that render alone has written is left', () => {
  const seen = [seenOn('old', gateway)];
  expect(planGateways(wanted, seen, calm).map((one) => [one.do, one.host])).toEqual([
    ['start', 'k3s'],
    ['stop', 'old'],
  ]);
  expect(planGateways(null, seen, calm).map((one) => one.do)).toEqual(['stop']);
  const rendered = [seenOn('k3s', { ...gateway, inFile: false })];
  expect(planGateways(null, rendered, calm)).toEqual([]);
});

test('nothing is decided about a cluster that did not answer', () => {
  expect(planGateways(wanted, [], { ...calm, silent: new Set(['k3s']) })).toEqual([]);
});

test('another secret is another pod, by its name alone', () => {
  const changed = [{ field: 'secrets.KEY', text: 'secret KEY changed: other pods' }];
  expect(planGateways(wanted, [seenOn('k3s', gateway)], { ...calm, changed })).toMatchObject([
    { do: 'replace', reasons: changed },
  ]);
});
