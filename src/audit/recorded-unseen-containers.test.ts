import { expect, test } from 'vitest';
import type { ContainerCase, Inspect } from '../../test/support/container-cases.ts';
import {
  inspectOf,
  llamaImage,
  published,
  tryContainers,
  vllmServer,
  withGpu,
} from '../../test/support/container-cases.ts';
import { healthyObservation } from '../../test/support/healthy-observation.ts';
import type { ObservedHost } from '../domain/audit/observation.ts';
import { nameOf } from '../domain/audit/server-words.ts';
import { findingsIn } from './audit.ts';
import { Inspected, seenContainers } from './gather/containers.ts';

const GiB = 1024 ** 3;
const toAll = published(8000, ['0.0.0.0', '8000']);
const key = ['VLLM_API_KEY=s3cr3t-s3cr3t'];
const inEnvironment = 'secret-in-environment container vllm';
const cpuRun = ['/app/llama-server', '-m', '/m/a.gguf', '--port', '8080'];
const ended = { Status: 'exited', Running: false, ExitCode: 0 };

function vllm(
  what: string,
  more: Inspect,
  found: readonly string[],
  words: readonly string[] = [],
): ContainerCase {
  const run = ['vllm', 'serve', 'org/m', '--port', '8000', ...words];
  const host = { ...withGpu, ...more.host };
  return { what, containers: [{ run, ...more, host }], servers: [vllmServer], found };
}

function llama(
  what: string,
  more: Inspect,
  found: readonly string[],
  words: readonly string[] = [],
): ContainerCase {
  const image = 'ghcr.io/ggml-org/llama.cpp:server-b6000';
  const containers = [{ name: 'l', image, run: [...cpuRun, ...words], ...more }];
  return { what, containers, servers: ['llama.cpp /m/a.gguf 8080'], found };
}

const small = ['--cache-ram', '0'];
const cpus = 'throttled-threads container l';
const cache = 'prompt-cache-over-limit container l';

/** Containers whose processes do not show: all that is known of them is what their daemon says. */
tryContainers([
  // A key over the network in plain text.
  vllm('a key of a variable, published to all', { env: key, host: toAll }, [
    inEnvironment,
    'tls-off container vllm',
  ]),
  vllm(
    'a key that a shell exports, published to all',
    {
      run: ['/bin/bash', '-c', 'export VLLM_API_KEY=$KEY; exec vllm serve org/m --port 8000'],
      host: toAll,
    },
    ['tls-off container vllm'],
  ),
  vllm(
    'a key and a certificate, published to all',
    { env: key, host: toAll },
    [inEnvironment],
    ['--ssl-keyfile', '/k', '--ssl-certfile', '/c'],
  ),
  vllm('a key, published on loopback', { env: key, host: published(8000, ['127.0.0.1', '8000']) }, [
    inEnvironment,
  ]),
  vllm(
    'a key, published to all, of the fleet',
    {
      labels: { 'berth.dev/fleet': 'lab' },
      host: toAll,
      run: ['vllm', 'serve', 'org/m', '--port', '8000', '--api-key', '$KEY'],
    },
    [],
  ),
  llama(
    'a key and a certificate of variables, published to all',
    {
      env: ['LLAMA_ARG_SSL_CERT_FILE=/c', 'LLAMA_ARG_SSL_KEY_FILE=/k'],
      host: published(8080, ['0.0.0.0', '443']),
    },
    [],
    ['--api-key-file', '/run/k'],
  ),
  vllm(
    'a key and a certificate in the text of a shell, published to all',
    {
      run: [
        'bash',
        '-c',
        'export VLLM_API_KEY=$K; vllm serve org/m --port 8000 --ssl-keyfile /k --ssl-certfile /c',
      ],
      host: toAll,
    },
    [],
  ),
  // In the network of the machine.
  vllm(
    'no key, for all by its words',
    { host: { NetworkMode: 'host' } },
    ['open-without-key container vllm', 'shares-host container vllm'],
    ['--host', '::'],
  ),
  vllm(
    'no key, on loopback by its words',
    { host: { NetworkMode: 'host' } },
    ['shares-host container vllm'],
    ['--host', '127.0.0.1'],
  ),
  vllm(
    'a key, at one address of the machine',
    { env: key, host: { NetworkMode: 'host' } },
    [inEnvironment, 'shares-host container vllm', 'tls-off container vllm'],
    ['--host', '192.168.1.5'],
  ),
  {
    what: 'no key, for all by the variables of its image',
    containers: [
      {
        name: 'l',
        image: llamaImage,
        run: ['/app/llama-server', '-m', '/m/a.gguf', '-ngl', '99'],
        env: ['LLAMA_ARG_HOST=0.0.0.0'],
        host: { ...withGpu, NetworkMode: 'host' },
      },
    ],
    servers: ['llama.cpp /m/a.gguf null'],
    found: ['open-without-key container l', 'shares-host container l'],
  },
  // Limits of its daemon.
  llama('more threads than --cpus', { host: { NanoCpus: 4e9 } }, [cpus], [...small, '-t', '8']),
  llama('as many threads as --cpus', { host: { NanoCpus: 8e9 } }, [], [...small, '-t', '8']),
  llama(
    'as many threads as a quota over half a period',
    { host: { CpuQuota: 400_000, CpuPeriod: 50_000 } },
    [],
    [...small, '-t', '8'],
  ),
  llama(
    'more threads than a quota over the usual period',
    { host: { CpuQuota: 400_000 } },
    [cpus],
    [...small, '-t', '5'],
  ),
  llama('a thread for each core, and 4 CPUs', { host: { NanoCpus: 4e9 } }, [cpus], small),
  llama('limits that are none', { host: { NanoCpus: 0, CpuQuota: -1, Memory: 0 } }, []),
  llama('the usual cache of prompts in 6 GiB', { host: { Memory: 6 * GiB } }, [cache]),
  llama('the usual cache of prompts in 12 GiB', { host: { Memory: 12 * GiB } }, []),
  llama(
    'a cache of a variable in 6 GiB',
    { env: ['LLAMA_ARG_CACHE_RAM=512'], host: { Memory: 6 * GiB } },
    [],
  ),
  llama(
    'ended, under small limits',
    {
      host: { NanoCpus: 1e9, Memory: 6 * GiB, RestartPolicy: { Name: 'no' } },
      state: ended,
    },
    ['orphan-container container l'],
  ),
  // Images and shared memory.
  vllm('an image without a tag, of a registry with a port', { image: 'registry.lan:5000/vllm/vllm-openai' }, [
    'rolling-image container vllm',
  ]),
  vllm('two stages over two GPUs', {}, ['missing-shm container vllm'], ['--pipeline-parallel-size', '2']),
  vllm(
    'two GPUs by the beginning of the flag',
    {},
    ['missing-shm container vllm'],
    ['--tensor-parallel', '2'],
  ),
]);

type Listener = ObservedHost['listeners'][number];

/** Findings of one vLLM in the network of its machine, with these words, beside who listens there and what is seen to run. */
function inNetworkOfMachine(
  words: readonly string[],
  seen: {
    listeners?: readonly Partial<Listener>[];
    servers?: ObservedHost['servers'];
    labels?: Inspect['labels'];
  },
): string[] {
  const run = ['vllm', 'serve', 'org/m', '--port', '8000', ...words];
  const labels = seen.labels ?? {};
  const told = Inspected.parse(inspectOf({ run, labels, host: { ...withGpu, NetworkMode: 'host' } }, 0));
  const [healthy] = healthyObservation().hosts;
  if (!healthy) throw new Error('The healthy machine is gone.');
  const usual = { address: '0.0.0.0', port: 8000, netns: '1', here: true, uid: 0, pid: null, program: null };
  const listeners = (seen.listeners ?? []).map((one) => ({ ...usual, ...one }));
  const containers = seenContainers([told], 'podman');
  const servers = seen.servers ?? [];
  const host = { ...healthy, servers, units: [], modelFiles: [], listeners, containers };
  const found = findingsIn({ at: '2026-11-28T09:00:00.000Z', hosts: [host], clusters: [], fleet: null });
  return found.filter(({ rule }) => rule === 'open-without-key').map(({ object }) => object);
}

test('a container in the network of its machine is open where somebody listens on its port beyond loopback', () => {
  expect(inNetworkOfMachine([], { listeners: [{}] })).toEqual(['container vllm']);
  expect(inNetworkOfMachine([], { listeners: [{ address: '127.0.0.1' }] })).toEqual([]);
});

test("another program's listener is not the container's", () => {
  const nginx = { address: '192.168.1.5', pid: 77, program: 'nginx' };
  expect(inNetworkOfMachine([], { listeners: [nginx] })).toEqual([]);
  // Whose it is may be hidden: what the container says of itself goes before.
  const hidden = { ...nginx, pid: null };
  expect(inNetworkOfMachine(['--host', '127.0.0.1'], { listeners: [hidden] })).toEqual([]);
});

test.each(['/run/l.sock', 'l.sock', 'unix:/run/l'])('a file of a socket (%s) is no address', (place) => {
  expect(inNetworkOfMachine(['--host', place], {})).toEqual([]);
});

test('a container that a unit keeps is told once, as the server that its process is', () => {
  const [healthy] = healthyObservation().hosts;
  const some = healthy?.servers.find(({ engine }) => engine === 'vllm');
  if (!some) throw new Error('The healthy vLLM is gone.');
  const server: ObservedHost['servers'][number] = {
    ...some,
    command: ['vllm', 'serve', 'org/m', '--port', '8000', '--host', '0.0.0.0'],
    owner: { kind: 'system-unit', name: 'vllm.service', user: 'root' },
    mark: null,
    keyed: false,
    endpoints: [{ address: '0.0.0.0', port: 8000, netns: '1', here: true }],
  };
  const labels = { PODMAN_SYSTEMD_UNIT: 'vllm.service' };
  const pid = server.process.pid;
  expect(
    inNetworkOfMachine(['--host', '0.0.0.0'], { servers: [server], labels, listeners: [{ pid }] }),
  ).toEqual([nameOf(server)]);
});
