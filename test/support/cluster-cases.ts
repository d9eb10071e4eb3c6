import { expect, test } from 'vitest';
import { findingsIn } from '../../src/audit/audit.ts';

export const get = { httpGet: { path: '/health', port: 8000 } };
const probes = {
  startupProbe: { ...get, periodSeconds: 5, failureThreshold: 360 },
  readinessProbe: get,
  livenessProbe: get,
};

export type Thing = Record<string, unknown>;

/** A vLLM of which nothing is wrong, with what is otherwise. */
export function vllm(more: Thing = {}): Thing {
  return {
    name: 'vllm',
    image: 'vllm/vllm-openai:v0.11.0',
    args: ['--model', 'org/m', '--port', '8000'],
    ports: [{ name: 'http', containerPort: 8000 }],
    resources: { limits: { 'nvidia.com/gpu': 1 } },
    ...probes,
    ...more,
  };
}

export function llama(more: Thing = {}): Thing {
  return vllm({
    name: 'llama',
    image: 'ghcr.io/ggml-org/llama.cpp:server-cuda-b6000',
    args: ['-m', '/models/a.gguf', '--port', '8000'],
    ...more,
  });
}

/** The same on the CPU, without a cache of prompts. */
export function llamaOnCpu(more: Thing = {}): Thing {
  return llama({
    image: 'ghcr.io/ggml-org/llama.cpp:server-b6000',
    args: ['-m', '/models/a.gguf', '--port', '8000', '--cache-ram', '0'],
    resources: {},
    ...more,
  });
}

export function object(kind: string, name: string, spec: Thing, more: Thing = {}): Thing {
  const { metadata, ...rest } = more as { metadata?: Thing };
  return { apiVersion: 'v1', kind, metadata: { name, namespace: 'llm', ...metadata }, spec, ...rest };
}

/** One of a kind that a chart or an operator brings. */
export function custom(apiVersion: string, kind: string, name: string, spec: Thing, more: Thing = {}): Thing {
  return { ...object(kind, name, spec, more), apiVersion };
}

export function template(containers: readonly Thing[], pod: Thing = {}, labels: Thing = { app: 'm' }): Thing {
  return { metadata: { labels }, spec: { containers, ...pod } };
}

export function deployment(
  name: string,
  containers: readonly Thing[],
  pod: Thing = {},
  spec: Thing = {},
): Thing {
  return object('Deployment', name, {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: template(containers, pod, { app: name }),
    ...spec,
  });
}

export function service(name: string, spec: Thing = {}): Thing {
  return object('Service', name, {
    clusterIP: '10.0.0.1',
    selector: { app: name },
    ports: [{ port: 80, targetPort: 'http' }],
    ...spec,
  });
}

export function claim(name: string, more: Thing = {}): Thing {
  return object(
    'PersistentVolumeClaim',
    name,
    { volumeName: 'v', resources: { requests: { storage: '50Gi' } } },
    more,
  );
}

export function pod(
  name: string,
  status: Thing,
  more: Thing = {},
  containers: readonly Thing[] = [vllm()],
): Thing {
  const owner = { ownerReferences: [{ kind: 'ReplicaSet', name: 'm-6f' }], labels: { app: 'm' } };
  return object('Pod', name, { containers }, { metadata: { ...owner, ...more }, status });
}

export function ownedBy(kind: string, name: string): Thing {
  return { ownerReferences: [{ kind, name }] };
}

export interface ClusterCase {
  readonly what: string;
  readonly objects: readonly Thing[];
  /** "rule name" of each finding, sorted. */
  readonly found: readonly string[];
}

/** One test for each cluster that is these objects: it has these findings and no other. */
export function tryClusters(cases: readonly ClusterCase[]): void {
  for (const { what, objects, found } of cases)
    test(`${what}: ${found.join(', ') || 'nothing is wrong'}`, () => {
      const clusters = [
        { name: 'c', reach: null, objects: objects.map((one) => structuredClone(one)), unseen: [] },
      ];
      const findings = findingsIn({ at: '2026-11-28T09:00:00.000Z', hosts: [], clusters, fleet: null });
      expect(findings.map((one) => `${one.rule} ${one.object.split('/').pop()}`).toSorted()).toEqual(found);
    });
}

/** A Deployment and its Service. */
export const whole = [deployment('m', [vllm()]), service('m')];
