import { expect, test } from 'vitest';
import type { ClusterGateway } from '../../domain/cluster-gateway.ts';
import { gatewayMark } from '../../render/gateway-objects.ts';
import { planGateways } from './plan-gateways.ts';

const gateway: ClusterGateway = {
  image: 'berth:1',
  replicas: 2,
  port: 8484,
  fleetFile: 'version: 1\n',
  variables: { KEY: { env: 'KEY' } },
  engineKeys: [],
  allowAnonymous: false,
  inFile: true,
  drainMs: 30_000,
};
const wanted = { host: 'k3s', gateway };
const nobody = new Set<string>();

test('a gateway is started where there is none, kept where it is as the file says, and changed for what differs', () => {
  expect(planGateways(wanted, [], nobody).map((one) => one.do)).toEqual(['start']);
  const mark = gatewayMark(gateway);
  expect(planGateways(wanted, [{ host: 'k3s', mark }], nobody).map((one) => one.do)).toEqual(['keep']);
  const more = { host: 'k3s', gateway: { ...gateway, replicas: 3, fleetFile: 'version: 1\nfleet: x\n' } };
  expect(planGateways(more, [{ host: 'k3s', mark }], nobody)).toMatchObject([
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
  const seen = [{ host: 'old', mark: gatewayMark(gateway) }];
  expect(planGateways(wanted, seen, nobody).map((one) => [one.do, one.host])).toEqual([
    ['start', 'k3s'],
    ['stop', 'old'],
  ]);
  expect(planGateways(null, seen, nobody).map((one) => one.do)).toEqual(['stop']);
  const rendered = [{ host: 'k3s', mark: gatewayMark({ ...gateway, inFile: false }) }];
  expect(planGateways(null, rendered, nobody)).toEqual([]);
});

test('nothing is decided about a cluster that did not answer', () => {
  expect(planGateways(wanted, [], new Set(['k3s']))).toEqual([]);
});
