import type { ObservedCluster } from '../../src/domain/audit/observation.ts';

const namespace = 'llm';

/** A namespace with two engines, an InferenceService and all that belongs to them. */
export function healthyCluster(): ObservedCluster {
  return {
    name: 'lab',
    reach: { host: null, context: 'lab' },
    unseen: [],
    objects: [
      mistral(),
      service('mistral'),
      slice('mistral'),
      pod('mistral'),
      qwen(),
      service('qwen'),
      slice('qwen'),
      claim('models'),
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name: 'mistral', namespace },
        spec: {
          rules: [{ http: { paths: [{ backend: { service: { name: 'mistral', port: { number: 80 } } } }] } }],
        },
      },
      {
        apiVersion: 'serving.kserve.io/v1alpha1',
        kind: 'ServingRuntime',
        metadata: { name: 'vllm-cuda', namespace },
        spec: { containers: [{ name: 'kserve-container', image: 'quay.io/example/vllm:v1' }] },
      },
      {
        apiVersion: 'serving.kserve.io/v1beta1',
        kind: 'InferenceService',
        metadata: {
          name: 'granite',
          namespace,
          annotations: { 'serving.kserve.io/deploymentMode': 'RawDeployment' },
        },
        spec: { predictor: { model: { runtime: 'vllm-cuda', storageUri: 'pvc://granite/model' } } },
      },
      claim('granite'),
      {
        apiVersion: 'serving.kserve.io/v1alpha1',
        kind: 'LLMInferenceService',
        metadata: { name: 'llama', namespace },
        spec: { model: { uri: 'pvc://llama/model' }, replicas: 1 },
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      },
      claim('llama'),
    ],
  };
}

function claim(name: string): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace },
    spec: { resources: { requests: { storage: '50Gi' } } },
  };
}

function service(name: string): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 'http' }] },
  };
}

function slice(name: string): Record<string, unknown> {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-x1`, namespace, labels: { 'kubernetes.io/service-name': name } },
    endpoints: name === 'qwen' ? [] : [{ addresses: ['10.0.0.7'], conditions: { ready: true } }],
  };
}

function pod(name: string): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${name}-6f-abc`,
      namespace,
      labels: { app: name },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${name}-6f` }],
    },
    spec: { containers: [{ name: 'engine' }] },
    status: {
      containerStatuses: [
        { name: 'engine', ready: true, restartCount: 0, state: { running: {} }, lastState: {} },
      ],
    },
  };
}

function probes(): Record<string, unknown> {
  return {
    startupProbe: { httpGet: { path: '/health', port: 'http' }, periodSeconds: 5, failureThreshold: 360 },
    readinessProbe: { httpGet: { path: '/health', port: 'http' }, periodSeconds: 5 },
    livenessProbe: { httpGet: { path: '/health', port: 'http' }, periodSeconds: 10 },
  };
}

function deployment(name: string, spec: Record<string, unknown>): Record<string, unknown> {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec },
    },
  };
}

function mistral(): Record<string, unknown> {
  return deployment('mistral', {
    containers: [
      {
        name: 'engine',
        image: 'ghcr.io/ggml-org/llama.cpp:server-cuda-b6000',
        args: ['-m', '/models/m.gguf', '--port', '8081', '-t', '4', '-ngl', '35', '--cache-ram', '1024'],
        env: [{ name: 'LLAMA_API_KEY', valueFrom: { secretKeyRef: { name: 'mistral', key: 'key' } } }],
        ports: [{ name: 'http', containerPort: 8081 }],
        resources: { limits: { cpu: '4000m', memory: '12Gi', 'nvidia.com/gpu': '1' } },
        volumeMounts: [{ name: 'models', mountPath: '/models' }],
        ...probes(),
      },
    ],
    volumes: [{ name: 'models', persistentVolumeClaim: { claimName: 'models' } }],
  });
}

function qwen(): Record<string, unknown> {
  return deployment('qwen', {
    containers: [
      {
        name: 'engine',
        image: 'vllm/vllm-openai:v0.11.2',
        args: ['--model', 'Qwen/Qwen3-8B', '--port', '8000', '--tensor-parallel-size', '2'],
        ports: [{ name: 'http', containerPort: 8000 }],
        resources: { limits: { cpu: '8', memory: '64Gi', 'nvidia.com/gpu': '2' } },
        volumeMounts: [{ name: 'shm', mountPath: '/dev/shm' }],
        ...probes(),
      },
    ],
    volumes: [{ name: 'shm', emptyDir: { medium: 'Memory' } }],
  });
}
