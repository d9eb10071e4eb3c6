import {
  claim,
  deployment,
  object,
  ownedBy,
  service,
  template,
  tryClusters,
  vllm,
  whole,
} from '../../test/support/cluster-cases.ts';

tryClusters([
  {
    what: 'a StatefulSet with a Service for one pod of it, without pods in the recording',
    objects: [
      object('StatefulSet', 'm', { replicas: 2, serviceName: 'm', template: template([vllm()]) }),
      service('m', { clusterIP: 'None' }),
      service('m-0', { selector: { 'statefulset.kubernetes.io/pod-name': 'm-0' } }),
    ],
    found: [],
  },
  {
    what: 'a Service for one pod of a StatefulSet that is gone',
    objects: [
      object('StatefulSet', 'm', { replicas: 2, serviceName: 'm', template: template([vllm()]) }),
      service('m', { clusterIP: 'None' }),
      service('n-0', { selector: { 'statefulset.kubernetes.io/pod-name': 'n-0' } }),
    ],
    found: ['orphan-service n-0'],
  },
  {
    what: 'a Service of the leaders of a LeaderWorkerSet, by their number',
    objects: [
      object('LeaderWorkerSet', 'm', {
        replicas: 1,
        leaderWorkerTemplate: { size: 1, workerTemplate: template([vllm()]) },
      }),
      service('m', {
        selector: {
          'leaderworkerset.sigs.k8s.io/name': 'm',
          'leaderworkerset.sigs.k8s.io/worker-index': '0',
        },
      }),
    ],
    found: [],
  },
  {
    what: 'a Service that Argo Rollouts has bound to one version',
    objects: [
      object('Rollout', 'm', { replicas: 1, template: template([vllm()]) }),
      service('m', { selector: { app: 'm', 'rollouts-pod-template-hash': '6f8' } }),
    ],
    found: [],
  },
  {
    what: 'a DaemonSet in the network of its nodes',
    objects: [
      object('DaemonSet', 'm', { template: template([vllm()], { hostNetwork: true }) }),
      service('m'),
    ],
    found: ['shares-host m'],
  },
  {
    what: 'a DaemonSet with a port of its node',
    objects: [
      object('DaemonSet', 'm', {
        template: template([vllm({ ports: [{ name: 'http', containerPort: 8000, hostPort: 8000 }] })]),
      }),
      service('m'),
    ],
    found: ['open-without-key m'],
  },
  {
    what: 'a CronJob with a server that is asked by what is beside it, and its claim',
    objects: [
      object('CronJob', 'm', {
        schedule: '0 3 * * *',
        jobTemplate: {
          spec: {
            template: template(
              [
                vllm({ readinessProbe: null, startupProbe: null, livenessProbe: null }),
                { name: 'ask', image: 'python:3.12.1' },
              ],
              { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'd' } }] },
            ),
          },
        },
      }),
      claim('d'),
    ],
    found: [],
  },
  {
    what: 'a Service without a selector, with addresses written by hand',
    objects: [
      ...whole,
      service('gpu-box', { selector: null, ports: [{ port: 8000 }] }),
      object('Endpoints', 'gpu-box', {}, { subsets: [{ addresses: [{ ip: '10.1.1.1' }] }] }),
      service('outside', { type: 'ExternalName', externalName: 'llm.example.org', clusterIP: null }),
      service('empty', { selector: {} }),
    ],
    found: [],
  },
  {
    what: 'a named port that only a sidecar has, and one that nobody has',
    objects: [
      deployment('m', [vllm()], {
        initContainers: [
          {
            name: 'proxy',
            image: 'envoy:1.31.1',
            restartPolicy: 'Always',
            ports: [{ name: 'https', containerPort: 8443 }],
          },
        ],
      }),
      service('m', { ports: [{ name: 'tls', port: 443, targetPort: 'https' }] }),
      service('m-api', { selector: { app: 'm' }, ports: [{ port: 80, targetPort: 'api' }] }),
    ],
    found: ['target-port m-api'],
  },
  {
    what: 'an Ingress that speaks of models, in a namespace without any',
    objects: [
      ...whole,
      object(
        'Ingress',
        'llm-docs',
        {
          rules: [
            { host: 'vllm.example.org', http: { paths: [{ backend: { service: { name: 'docs' } } }] } },
          ],
        },
        { metadata: { namespace: 'web' } },
      ),
      object('Service', 'docs', { selector: { app: 'docs' } }, { metadata: { namespace: 'web' } }),
      object(
        'Deployment',
        'docs',
        { template: template([{ name: 'docs', image: 'nginx:1.27.1' }], {}, { app: 'docs' }) },
        { metadata: { namespace: 'web' } },
      ),
    ],
    found: [],
  },
  {
    what: 'a route to a Service that has gone, beside one to a pool',
    objects: [
      ...whole,
      object('HTTPRoute', 'r', {
        rules: [
          {
            backendRefs: [
              { group: 'inference.networking.k8s.io', kind: 'InferencePool', name: 'pool' },
              { name: 'old', port: 80 },
            ],
          },
        ],
      }),
    ],
    found: ['missing-service r'],
  },
  {
    what: 'a claim that others are made from, and one that nothing names',
    objects: [
      ...whole,
      claim('golden'),
      object('StatefulSet', 's', {
        replicas: 1,
        template: template([vllm({ args: ['--model', 'org/s', '--port', '8000'] })], {}, { app: 's' }),
        volumeClaimTemplates: [
          {
            metadata: { name: 'm' },
            spec: { dataSource: { kind: 'PersistentVolumeClaim', name: 'golden' } },
          },
        ],
      }),
      claim('m-s-0'),
      claim('m-s-old'),
    ],
    found: ['orphan-claim m-s-old'],
  },
  {
    what: 'a claim that an ephemeral volume made for its pod',
    objects: [
      deployment('m', [vllm()], {
        volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate: { spec: {} } } }],
      }),
      service('m'),
      claim('m-6f-x-scratch', { metadata: ownedBy('Pod', 'm-6f-x') }),
    ],
    found: [],
  },
  {
    what: 'a server without a key behind a port of each node',
    objects: [deployment('m', [vllm()]), service('m', { type: 'NodePort' })],
    found: ['open-without-key m'],
  },
  {
    what: 'a server behind a load balancer with a key of a Secret',
    objects: [
      deployment('m', [
        vllm({ env: [{ name: 'VLLM_API_KEY', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }),
      ]),
      service('m', { type: 'LoadBalancer' }),
    ],
    found: [],
  },
  {
    what: 'a Service called vllm without an address beside a vLLM',
    objects: [deployment('vllm', [vllm()]), service('vllm', { clusterIP: 'None' })],
    found: [],
  },
  {
    what: 'a Service called vllm of a StatefulSet',
    objects: [
      object('StatefulSet', 'vllm', { replicas: 1, template: template([vllm()], {}, { app: 'vllm' }) }),
      service('vllm'),
    ],
    found: ['service-links vllm'],
  },
  {
    what: 'a Deployment that comes up',
    objects: [
      {
        ...deployment('m', [vllm()]),
        status: {
          conditions: [
            { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated' },
            { type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable' },
          ],
        },
      },
      service('m'),
    ],
    found: [],
  },
]);
