import { expect, test } from 'vitest';
import { deployment, object, pod, service, tryClusters, vllm } from '../../test/support/cluster-cases.ts';
import type { Thing } from '../../test/support/cluster-cases.ts';
import { findingsIn } from './audit.ts';

function to(...targets: (string | number | null)[]): Thing {
  return { ports: targets.map((targetPort, at) => ({ name: `p${at}`, port: 80 + at, targetPort })) };
}

const exporter = { name: 'exporter', image: 'example.org/exporter:1', ports: [{ containerPort: 9400 }] };
const found = ['target-port m'];

tryClusters([
  {
    what: 'the number of the server',
    objects: [deployment('m', [vllm()]), service('m', to(8000))],
    found: [],
  },
  {
    what: 'a number that the server has and its container declares otherwise',
    objects: [deployment('m', [vllm({ ports: [{ containerPort: 9000 }] })]), service('m', to(8000))],
    found: [],
  },
  {
    what: 'a number that nobody has',
    objects: [deployment('m', [vllm()]), service('m', to(8080))],
    found,
  },
  {
    what: 'the port of the Service itself, where no other is named',
    objects: [deployment('m', [vllm()]), service('m', to(null))],
    found,
  },
  {
    what: 'a number that nobody has, of a container that declares none',
    objects: [deployment('m', [vllm({ ports: null })]), service('m', to(8080))],
    found,
  },
  {
    what: 'a name where no container declares a port',
    objects: [deployment('m', [vllm({ ports: null })]), service('m', to('http'))],
    found,
  },
  {
    what: 'a name that is written otherwise',
    objects: [deployment('m', [vllm()]), service('m', to('HTTP'))],
    found,
  },
  {
    what: 'a second port that leads nowhere',
    objects: [deployment('m', [vllm()]), service('m', to('http', 'metrics'))],
    found,
  },
  {
    what: 'a port of the container beside the server',
    objects: [deployment('m', [vllm(), exporter]), service('m', to('http', 9400))],
    found: [],
  },
  {
    what: 'a name that an initial container has which runs on',
    objects: [
      deployment('m', [vllm()], {
        initContainers: [
          { name: 'proxy', restartPolicy: 'Always', ports: [{ name: 'web', containerPort: 8443 }] },
        ],
      }),
      service('m', to('web')),
    ],
    found: [],
  },
  {
    what: 'a name that an initial container has which ends',
    objects: [
      deployment('m', [vllm()], {
        initContainers: [{ name: 'fetch', ports: [{ name: 'web', containerPort: 8443 }] }],
      }),
      service('m', to('web')),
    ],
    found,
  },
  {
    what: 'a container beside the server that declares nothing, and may listen anywhere',
    objects: [deployment('m', [vllm(), { name: 'nginx', image: 'nginx:1.27' }]), service('m', to(8443))],
    found: [],
  },
  {
    what: 'a port that was put into the pods when they were made',
    objects: [
      deployment('m', [vllm()]),
      service('m', to('proxy')),
      pod('m-6f-1', {}, {}, [vllm(), { name: 'proxy', ports: [{ name: 'proxy', containerPort: 15_000 }] }]),
    ],
    found: [],
  },
  {
    what: 'a second port that an argument speaks of',
    objects: [
      deployment('m', [
        vllm({ args: ['--model', 'org/m', '--port', '8000', '--data-parallel-rpc-port', '13345'] }),
      ]),
      service('m', to(8000, 13_345)),
    ],
    found: [],
  },
  {
    what: 'a port that stands in a file',
    objects: [
      deployment('m', [vllm({ args: ['--model', 'org/m', '--config', '/etc/vllm.yaml'] })]),
      service('m', to(9000)),
    ],
    found: [],
  },
  {
    what: 'a Service without an address, whose clients choose the port',
    objects: [deployment('m', [vllm()]), service('m', { clusterIP: 'None', ...to(5557) })],
    found: [],
  },
  {
    what: 'one of two workloads that has the name',
    objects: [
      deployment('m', [vllm()]),
      object('Deployment', 'n', {
        template: {
          metadata: { labels: { app: 'm' } },
          spec: { containers: [vllm({ ports: [{ name: 'web', containerPort: 8000 }] })] },
        },
      }),
      service('m', to('web')),
    ],
    found: [],
  },
  {
    what: 'a router with the labels of the models behind it',
    objects: [
      deployment('m', [vllm()]),
      object('Deployment', 'router', {
        template: {
          metadata: { labels: { app: 'm', role: 'router' } },
          spec: { containers: [{ name: 'router', ports: [{ name: 'web', containerPort: 9000 }] }] },
        },
      }),
      service('m', to('web')),
    ],
    found: [],
  },
  {
    what: 'an InferenceService, whose controller adds what does not show',
    objects: [
      object('InferenceService', 'm', { predictor: { containers: [vllm()] } }),
      service('m', { selector: { 'serving.kserve.io/inferenceservice': 'm' }, ...to('h2c', 8080) }),
    ],
    found: [],
  },
  {
    what: 'a Service that something made',
    objects: [
      deployment('m', [vllm()]),
      {
        ...service('m', to('web')),
        metadata: { ...namesOf('m'), ownerReferences: [{ kind: 'X', name: 'm' }] },
      },
    ],
    found: [],
  },
  {
    what: 'a Service of something else in the namespace of a model',
    objects: [
      deployment('m', [vllm()]),
      service('m'),
      deployment('web', [{ name: 'web', image: 'nginx:1.27' }]),
      service('web', to('none')),
    ],
    found: [],
  },
]);

function namesOf(name: string): Thing {
  return { name, namespace: 'llm' };
}

test('a server that is still reached by another port is a warning, one that is reached by none is critical', () => {
  function severities(...targets: string[]): string[] {
    const objects = [deployment('m', [vllm()]), service('m', to(...targets))];
    const clusters = [{ name: 'c', reach: null, objects, unseen: [] }];
    return findingsIn({ at: '2026-11-28T09:00:00.000Z', hosts: [], clusters, fleet: null }).map(
      (one) => `${one.severity}: ${one.message}`,
    );
  }
  expect(severities('http', 'metrics')).toEqual([
    'warning: Its port 81 leads to metrics, which no container of its pods has.',
  ]);
  expect(severities('web')).toEqual([
    'critical: Its port 80 leads to web, which no container of its pods has.',
  ]);
});
