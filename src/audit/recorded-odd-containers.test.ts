import { expect, test } from 'vitest';
import { healthyObservation } from '../../test/support/healthy-observation.ts';
import { findingsIn } from './audit.ts';
import { Inspected, seenContainers } from './gather/containers.ts';
import {
  inspectOf,
  llamaImage,
  published,
  tryContainers,
  vllmRun,
  vllmServer,
} from '../../test/support/container-cases.ts';
import type { ContainerCase } from '../../test/support/container-cases.ts';

const open = ['open-without-key container vllm'];
const llamaRun = ['/app/llama-server', '-m', '/m/a.gguf', '--host', '0.0.0.0', '--port', '8080'];
const llamaServer = 'llama.cpp /m/a.gguf 8080';
const exited = { Status: 'exited', Running: false };

function one(
  what: string,
  given: ContainerCase['containers'][number],
  found: readonly string[],
): ContainerCase {
  return { what, containers: [given], servers: [vllmServer], found };
}

/** Where a container is reached. */
tryContainers([
  one('published at all addresses', { host: published(8000, ['', '8000']) }, open),
  one('published at 0.0.0.0', { host: published(8000, ['0.0.0.0', '9000']) }, open),
  one('published at all addresses of version 6', { host: published(8000, ['::', '8000']) }, open),
  one('published at loopback', { host: published(8000, ['127.0.0.1', '8000'], ['::1', '8000']) }, []),
  one(
    'published at all addresses, with a key of its environment',
    {
      host: published(8000, ['', '8000']),
      env: ['VLLM_API_KEY=s3cr3t'],
    },
    ['secret-in-environment container vllm', 'tls-off container vllm'],
  ),
  one(
    'published at all addresses, with a word in place of a key',
    {
      host: published(8000, ['', '8000']),
      env: ['VLLM_API_KEY=EMPTY'],
    },
    open,
  ),
  one(
    'a range of ports, out of which the daemon has picked one',
    {
      host: published(8000, ['', '8000-8010']),
      more: { NetworkSettings: { Ports: { '8000/tcp': [{ HostIp: '0.0.0.0', HostPort: '8003' }] } } },
    },
    open,
  ),
  one(
    'any port',
    {
      host: { PublishAllPorts: true },
      more: {
        NetworkSettings: {
          Ports: {
            '8000/tcp': [
              { HostIp: '0.0.0.0', HostPort: '32768' },
              { HostIp: '::', HostPort: '32768' },
            ],
          },
        },
      },
    },
    open,
  ),
  one(
    'a daemon that publishes at loopback where nothing is said',
    {
      host: published(8000, ['', '8000']),
      more: { NetworkSettings: { Ports: { '8000/tcp': [{ HostIp: '127.0.0.1', HostPort: '8000' }] } } },
    },
    [],
  ),
  one(
    'no published port, and one that is only exposed',
    {
      more: { NetworkSettings: { Ports: { '8000/tcp': null } } },
    },
    [],
  ),
  one('another port than that of the server', { host: published(9000, ['', '9000']) }, []),
  one('the network of the machine', { host: { NetworkMode: 'host' } }, ['shares-host container vllm']),
  one('no network', { host: { NetworkMode: 'none', ...published(8000, ['', '8000']) } }, []),
  {
    what: 'the network of a tunnel, which publishes its port',
    containers: [
      {
        name: 'gluetun',
        image: 'qmcgaw/gluetun:v3.40',
        run: ['/gluetun-entrypoint'],
        host: published(8000, ['', '8000']),
      },
      { host: { NetworkMode: `container:${'c0ffee0'.padEnd(64, '0')}` } },
    ],
    servers: [vllmServer],
    found: open,
  },
  {
    what: 'a pod of podman, whose first container publishes its port at loopback',
    tool: 'podman',
    containers: [
      {
        name: 'ai-infra',
        image: 'localhost/podman-pause:5.4.0-0',
        run: ['/catatonit', '-P'],
        host: published(8000, ['127.0.0.1', '8000']),
      },
      {
        host: {
          NetworkMode: `container:${'c0ffee0'.padEnd(64, '0')}`,
          IpcMode: `container:${'c0ffee0'.padEnd(64, '0')}`,
        },
      },
    ],
    servers: [vllmServer],
    found: [],
  },
  {
    what: 'two servers of a pod of podman, each with a published port',
    tool: 'podman',
    containers: [
      {
        name: 'ai-infra',
        image: 'localhost/podman-pause:5.4.0-0',
        run: ['/catatonit', '-P'],
        host: {
          PortBindings: {
            '8000/tcp': [{ HostIp: '', HostPort: '8000' }],
            '8080/tcp': [{ HostIp: '', HostPort: '8080' }],
          },
        },
      },
      { host: { NetworkMode: `container:${'c0ffee0'.padEnd(64, '0')}` } },
      {
        name: 'llama',
        image: llamaImage,
        run: llamaRun,
        host: { NetworkMode: `container:${'c0ffee0'.padEnd(64, '0')}` },
      },
    ],
    servers: [vllmServer, llamaServer],
    found: [...open, 'open-without-key container llama'],
  },
  {
    what: 'two containers at one port of the machine',
    containers: [
      { name: 'a', host: published(8000, ['127.0.0.1', '8000']) },
      { name: 'b', host: published(8000, ['127.0.0.1', '8000']), state: { Status: 'restarting' } },
    ],
    servers: [vllmServer, vllmServer],
    found: ['port-conflict container a and container b'],
  },
  {
    what: 'one port of the machine at two addresses',
    containers: [
      { name: 'a', host: published(8000, ['127.0.0.1', '8000']) },
      { name: 'b', host: published(8000, ['127.0.0.2', '8000']) },
    ],
    servers: [vllmServer, vllmServer],
    found: [],
  },
  {
    what: 'a container that finds its port taken',
    containers: [
      { name: 'a', host: published(8000, ['127.0.0.1', '8000']) },
      {
        name: 'b',
        host: published(8000, ['127.0.0.1', '8000']),
        state: {
          Status: 'created',
          Running: false,
          ExitCode: 128,
          Error: 'failed to bind host port 127.0.0.1:8000/tcp: address already in use',
        },
      },
    ],
    servers: [vllmServer, vllmServer],
    found: ['failed container b', 'port-conflict container a and container b'],
  },
]);

/** How a container fares. */
tryContainers([
  one(
    'ends again and again',
    { state: { Status: 'restarting', Restarting: true, ExitCode: 1 }, more: { RestartCount: 7 } },
    ['restarting container vllm'],
  ),
  one(
    'ends again and again, for memory',
    {
      state: { Status: 'restarting', Restarting: true, ExitCode: 137, OOMKilled: true },
      more: { RestartCount: 7 },
    },
    ['out-of-memory container vllm'],
  ),
  one('runs, and one of its processes was killed for memory', { state: { OOMKilled: true } }, [
    'out-of-memory container vllm',
  ]),
  one(
    'crashed for good',
    {
      host: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } },
      state: { ...exited, ExitCode: 139 },
      more: { RestartCount: 3 },
    },
    ['failed container vllm'],
  ),
  one(
    'was stopped by hand, and did not hear',
    {
      host: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } },
      state: { ...exited, ExitCode: 137 },
    },
    [],
  ),
  one(
    'has ended well, where only failures are started again',
    {
      host: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } },
      state: { ...exited, ExitCode: 0 },
    },
    [],
  ),
  one('is dead', { state: { Status: 'dead', Running: false, Dead: true, ExitCode: 137 } }, [
    'failed container vllm',
  ]),
  one('is being removed', { state: { Status: 'removing', Running: false, ExitCode: 0 } }, []),
  one('is paused', { state: { Status: 'paused', Paused: true } }, []),
  one('was made and never started', { state: { Status: 'created', Running: false } }, [
    'orphan-container container vllm',
  ]),
  one(
    'waits in compose for another to be healthy',
    {
      state: { Status: 'created', Running: false },
      labels: { 'com.docker.compose.project': 'ai', 'com.docker.compose.service': 'vllm' },
    },
    [],
  ),
  one(
    'is unhealthy',
    {
      state: { Health: { Status: 'unhealthy', FailingStreak: 30 } },
      config: { Healthcheck: { Test: ['CMD', 'curl', '-f', 'http://localhost:8000/health'] } },
    },
    ['not-answering container vllm'],
  ),
  one(
    'is asked at a wrong port, and so unhealthy',
    {
      state: { Health: { Status: 'unhealthy', FailingStreak: 30 } },
      config: { Healthcheck: { Test: ['CMD-SHELL', 'curl -f http://localhost:8080/health || exit 1'] } },
    },
    ['health-check-port container vllm'],
  ),
  one('is starting', { state: { Health: { Status: 'starting' } } }, []),
  one('has no check', { config: { Healthcheck: { Test: ['NONE'] } } }, []),
  {
    ...one(
      'is kept by a Quadlet file, and has ended',
      {
        labels: { PODMAN_SYSTEMD_UNIT: 'vllm.service' },
        host: { RestartPolicy: { Name: '' } },
        state: { ...exited, ExitCode: 0 },
      },
      [],
    ),
    tool: 'podman',
  },
  {
    ...one(
      'has been stopped, in the words of podman',
      {
        host: { RestartPolicy: { Name: 'no' } },
        state: { Status: 'stopped', Running: false, ExitCode: 0 },
      },
      ['orphan-container container vllm'],
    ),
    tool: 'podman',
  },
  {
    ...one(
      'was made and never started, in the words of podman',
      {
        host: { RestartPolicy: { Name: 'no' } },
        state: { Status: 'configured', Running: false, ExitCode: 0 },
      },
      ['orphan-container container vllm'],
    ),
    tool: 'podman',
  },
  one(
    'has a key in a header of its health check, which fails',
    {
      config: {
        Healthcheck: {
          Test: ['CMD-SHELL', 'curl -fH "Authorization: Bearer s3cr3t" http://localhost:8000/v1/models'],
        },
      },
      state: { Health: { Status: 'unhealthy' } },
    },
    ['not-answering container vllm'],
  ),
  one(
    'has a key in a header of a health check that asks another port',
    { config: { Healthcheck: { Test: ['CMD', 'curl', '-H', 'X-Api-Key: s3cr3t', 'http://localhost:1/'] } } },
    ['health-check-port container vllm'],
  ),
  one(
    'has a key among its words, and no process that is seen',
    { run: [...vllmRun, '--api-key', 's3cr3t'] },
    ['secret-in-argv container vllm'],
  ),
  one(
    'has ended, with a key among its words',
    {
      run: [...vllmRun, '--api-key=s3cr3t'],
      state: { ...exited, ExitCode: 0 },
    },
    ['secret-in-argv container vllm'],
  ),
  {
    what: 'gives its tools to whoever reaches it',
    containers: [
      {
        name: 'llama',
        image: llamaImage,
        run: [...llamaRun, '--tools', 'all', '--api-key-file', '/run/secrets/key'],
        host: published(8080, ['', '8080']),
      },
    ],
    servers: [llamaServer],
    found: ['exposed-tools container llama', 'tls-off container llama'],
  },
  {
    what: 'has a variable that is misspelt',
    containers: [
      {
        name: 'llama',
        image: llamaImage,
        run: llamaRun,
        env: ['LLAMA_ARG_CTX_SIZES=8192', 'LLAMA_ARG_THREADS=8'],
      },
    ],
    servers: [llamaServer],
    found: ['ignored-variable container llama'],
  },
  {
    what: 'has a flag that newer builds refuse, and no process that is seen',
    containers: [{ name: 'llama', image: llamaImage, run: [...llamaRun, '--draft-max', '16'] }],
    servers: [llamaServer],
    found: ['outdated-flag container llama'],
  },
]);

test('a dead container is to be removed, and tools that the network of the machine reaches are critical', () => {
  const run = [...llamaRun, '--tools', 'all', '--api-key-file', '/run/secrets/key'];
  const dead = { Status: 'dead', Running: false, Dead: true, ExitCode: 137 };
  const told = [
    { name: 'gone', state: dead },
    { name: 'open', image: llamaImage, run, host: { NetworkMode: 'host' } },
  ].map((one, nth) => Inspected.parse(inspectOf(one, nth)));
  const [first] = healthyObservation().hosts;
  if (!first) throw new Error('The healthy machine is gone.');
  const containers = seenContainers(told, 'docker');
  const host = { ...first, servers: [], units: [], listeners: [], modelFiles: [], containers };
  const found = findingsIn({ ...healthyObservation(), fleet: null, clusters: [], hosts: [host] });
  expect(found.find(({ rule }) => rule === 'failed')).toMatchObject({
    message: 'Its daemon could not remove it whole.',
    commands: ['docker rm -f gone'],
  });
  expect(found.find(({ rule }) => rule === 'exposed-tools')).toMatchObject({
    severity: 'critical',
    message: 'It runs: whoever reaches its port reaches files or a shell where it runs.',
  });
});
