import {
  claim,
  deployment,
  llama,
  object,
  service,
  template,
  tryClusters,
  vllm,
  whole,
} from '../../test/support/cluster-cases.ts';
import type { Thing } from '../../test/support/cluster-cases.ts';

const twice = ['duplicate n'];

/** A llama-server whose file lies on this volume. */
function onVolume(name: string, volume: Thing, mount: Thing = {}): Thing {
  return deployment(name, [llama({ volumeMounts: [{ name: 'x', mountPath: '/models', ...mount }] })], {
    volumes: [{ name: 'x', ...volume }],
  });
}

function onClaim(name: string, claimName: string, mount: Thing = {}): Thing {
  return onVolume(name, { persistentVolumeClaim: { claimName } }, mount);
}

function started(name: string, ...args: string[]): Thing {
  return deployment(name, [vllm({ args: ['--model', 'org/m', '--port', '8000', ...args] })]);
}

function marked(name: string, of: string): Thing {
  const metadata = {
    labels: { 'berth.dev/fleet': 'lab' },
    annotations: { 'berth.dev/mark': JSON.stringify({ deployment: of }) },
  };
  const { spec } = deployment(name, [vllm()]) as { spec: Thing };
  return object('Deployment', name, spec, { metadata });
}

function stored(name: string, storageUri: string): Thing {
  return object('InferenceService', name, {
    predictor: { model: { modelFormat: { name: 'vLLM' }, runtime: 'r', storageUri } },
  });
}

const runtime = object('ServingRuntime', 'r', {
  containers: [{ name: 'kserve-container', image: 'vllm/vllm-openai:v0.11.0', args: ['--port=8080'] }],
});

tryClusters([
  { what: 'one repository by two Deployments', objects: [...whole, deployment('n', [vllm()])], found: twice },
  {
    what: 'three of them are told once',
    objects: [...whole, deployment('l', [vllm()]), deployment('n', [vllm()])],
    found: twice,
  },
  {
    what: 'one repository by two engines',
    objects: [
      ...whole,
      deployment('n', [
        vllm({ image: 'lmsysorg/sglang:v0.5.3', args: ['--model-path', 'org/m', '--port', '8000'] }),
      ]),
    ],
    found: twice,
  },
  {
    what: 'two revisions of a repository',
    objects: [...whole, started('n', '--revision', 'abc')],
    found: [],
  },
  {
    what: 'one that is scaled to zero',
    objects: [...whole, deployment('n', [vllm()], {}, { replicas: 0 })],
    found: [],
  },
  {
    what: 'a job that starts a server for itself',
    objects: [...whole, object('Job', 'n', { template: template([vllm()], {}, { app: 'n' }) })],
    found: [],
  },
  {
    what: 'another namespace',
    objects: [...whole, { ...deployment('n', [vllm()]), metadata: { name: 'n', namespace: 'llm-test' } }],
    found: [],
  },
  { what: 'one that embeds', objects: [...whole, started('n', '--runner', 'pooling')], found: [] },
  {
    what: 'two of which one reads prompts and one writes answers',
    objects: [
      started('m', '--kv-transfer-config', '{"kv_role":"kv_both"}'),
      started('n', '--kv-transfer-config', '{"kv_role":"kv_both"}'),
    ],
    found: [],
  },
  {
    what: 'two that one Service leads to',
    objects: [
      object('Deployment', 'm', { template: template([vllm()], {}, { app: 'm', node: 'l4' }) }),
      object('Deployment', 'n', { template: template([vllm()], {}, { app: 'm', node: 'a100' }) }),
      service('m'),
    ],
    found: [],
  },
  {
    what: 'two that a route divides its requests among',
    objects: [
      ...whole,
      deployment('n', [vllm()]),
      service('n'),
      object('HTTPRoute', 'chat', {
        rules: [
          {
            backendRefs: [
              { name: 'm', port: 80, weight: 90 },
              { name: 'n', port: 80, weight: 10 },
            ],
          },
        ],
      }),
    ],
    found: [],
  },
  {
    what: 'two that a route leads to under two paths',
    objects: [
      ...whole,
      deployment('n', [vllm()]),
      service('n'),
      object('HTTPRoute', 'chat', {
        rules: [{ backendRefs: [{ name: 'm' }] }, { backendRefs: [{ name: 'n' }] }],
      }),
    ],
    found: twice,
  },
  { what: 'a canary beside it', objects: [...whole, deployment('m-canary', [vllm()])], found: [] },
  {
    what: 'replicas of one deployment of a fleet',
    objects: [marked('m', 'm'), marked('m-1', 'm')],
    found: [],
  },
  { what: 'two deployments of a fleet', objects: [marked('m', 'm'), marked('n', 'n')], found: twice },
  {
    what: 'one file of one claim',
    objects: [onClaim('m', 'a'), onClaim('n', 'a'), claim('a')],
    found: twice,
  },
  {
    what: 'a file of the same name on two claims',
    objects: [onClaim('m', 'a'), onClaim('n', 'b'), claim('a'), claim('b')],
    found: [],
  },
  {
    what: 'a file of the same name in two folders of a claim',
    objects: [onClaim('m', 'a', { subPath: 'x' }), onClaim('n', 'a', { subPath: 'y' }), claim('a')],
    found: [],
  },
  {
    what: 'a file that each pod fetches for itself',
    objects: [onVolume('m', { emptyDir: {} }), onVolume('n', { emptyDir: {} })],
    found: [],
  },
  {
    what: 'a name that a variable gives from elsewhere',
    objects: ['m', 'n'].map((name) =>
      deployment(name, [
        vllm({
          args: ['--model', '$(MODEL)', '--port', '8000'],
          env: [{ name: 'MODEL', valueFrom: { configMapKeyRef: { name, key: 'model' } } }],
        }),
      ]),
    ),
    found: [],
  },
  {
    what: 'two InferenceServices of one folder',
    objects: [runtime, stored('m', 'pvc://a/m'), stored('n', 'pvc://a/m')],
    found: twice,
  },
  {
    what: 'two InferenceServices of two folders',
    objects: [runtime, stored('m', 'pvc://a/m'), stored('n', 'pvc://a/n')],
    found: [],
  },
]);
