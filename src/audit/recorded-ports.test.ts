import { expect, test } from 'vitest';
import { healthyObservation } from '../../test/support/healthy-observation.ts';
import type { ObservedContainer } from '../domain/audit/observation.ts';
import { auditReport } from './audit.ts';
import { Inspected, observed } from './gather/containers.ts';

type Thing = Record<string, unknown>;

interface Box {
  readonly ports?: Thing;
  readonly host?: Thing;
  readonly state?: Thing;
}

const ended = { Status: 'exited', Running: false, ExitCode: 137 };
const no = { RestartPolicy: { Name: 'no' } };

/** Two containers of one daemon, as it tells of them. */
const cases: readonly { what: string; a: Box; b: Box; port: number | null }[] = [
  {
    what: 'one that runs and one that was stopped and is always started again',
    a: { ports: { '8000/tcp': [{ HostIp: '', HostPort: '9000' }] } },
    b: { ports: { '8001/tcp': [{ HostIp: '127.0.0.1', HostPort: '9000' }] }, state: ended },
    port: 9000,
  },
  {
    what: 'one whose daemon could not give it the port',
    a: { ports: { '8000/tcp': [{ HostIp: '0.0.0.0', HostPort: '9000' }] } },
    b: {
      ports: { '8000/tcp': [{ HostIp: '0.0.0.0', HostPort: '9000' }] },
      host: { RestartPolicy: { Name: 'unless-stopped' } },
      state: { Status: 'created', Running: false, ExitCode: 128, Error: 'port is already allocated' },
    },
    port: 9000,
  },
  {
    what: 'one in the network of the machine, at the port of its server',
    a: { ports: { '80/tcp': [{ HostIp: '', HostPort: '8000' }] } },
    b: { host: { NetworkMode: 'host' } },
    port: 8000,
  },
  {
    what: 'one that is stopped and that nothing starts',
    a: { ports: { '8000/tcp': [{ HostIp: '', HostPort: '9000' }] } },
    b: { ports: { '8000/tcp': [{ HostIp: '', HostPort: '9000' }] }, host: no, state: ended },
    port: null,
  },
  {
    what: 'one port inside, and two of the machine',
    a: { ports: { '8000/tcp': [{ HostIp: '', HostPort: '9000' }] } },
    b: { ports: { '8000/tcp': [{ HostIp: '', HostPort: '9001' }] } },
    port: null,
  },
  {
    what: 'ports that the daemon picks, alone and out of a range',
    a: { ports: { '8000/tcp': [{ HostIp: '', HostPort: '' }], '1/tcp': [{ HostPort: '9000-9010' }] } },
    b: { ports: { '8000/tcp': [{ HostIp: '', HostPort: '0' }], '1/tcp': [{ HostPort: '9000-9010' }] } },
    port: null,
  },
  {
    what: 'a port of UDP and the same of TCP',
    a: { ports: { '8000/udp': [{ HostIp: '', HostPort: '9000' }] } },
    b: { ports: { '8000/tcp': [{ HostIp: '', HostPort: '9000' }] } },
    port: null,
  },
  {
    what: 'two containers of one pod, which publishes once what both of them tell',
    a: {
      ports: { '8000/tcp': [{ HostIp: '', HostPort: '9000' }] },
      host: { NetworkMode: 'container:0123' },
    },
    b: {
      ports: { '8000/tcp': [{ HostIp: '', HostPort: '9000' }] },
      host: { NetworkMode: 'container:0123' },
    },
    port: null,
  },
  {
    what: 'one that publishes its port under two addresses',
    a: {
      ports: {
        '8000/tcp': [
          { HostIp: '0.0.0.0', HostPort: '9000' },
          { HostIp: '::', HostPort: '9000' },
        ],
      },
    },
    b: { ports: { '8000/tcp': null } },
    port: null,
  },
];

for (const { what, a, b, port } of cases)
  test(`${what}: ${port === null ? 'no conflict' : `both want port ${port}`}`, () => {
    const [first] = healthyObservation().hosts;
    if (!first) throw new Error('The healthy machine is gone.');
    const host = {
      ...first,
      servers: [],
      units: [],
      listeners: [],
      modelFiles: [],
      containers: [inspected('a', a), inspected('b', b)],
    };
    const seen = { ...healthyObservation(), fleet: null, clusters: [], figures: [], hosts: [host] };
    const found = auditReport(seen, []).findings.filter((one) => one.rule === 'port-conflict');
    expect(found.map((one) => [one.object, one.message])).toEqual(
      port === null ? [] : [['container a and container b', `Both want port ${port} of this machine.`]],
    );
  });

function inspected(name: string, { ports = {}, host, state }: Box): ObservedContainer {
  const read = Inspected.parse({
    Id: name.padEnd(64, '0'),
    Name: `/${name}`,
    Path: 'vllm',
    Args: ['serve', `org/${name}`, '--port', '8000'],
    State: { Status: 'running', Running: true, ExitCode: 0, ...state },
    Config: { Image: 'vllm/vllm-openai:v0.11.0' },
    HostConfig: { RestartPolicy: { Name: 'always' }, PortBindings: ports, ...host },
  });
  const container = observed(read, 'docker');
  if (!container) throw new Error('It is no model server.');
  return container;
}
