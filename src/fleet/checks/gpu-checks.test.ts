import { expect, test } from 'vitest';
import { faultLines } from '../../../test/support/fleet-faults.ts';

function vllm(rest: string, own: string): string {
  return `  ${own.replace(/\W/g, '').toLowerCase()}: {model: m, ${own}, engine: {kind: vllm, ${rest}}}`;
}

test('a model that is divided over more GPUs than it is given is told, but where those of other machines count', async () => {
  const text = `version: 1
fleet: lab
hosts: {k: {kubernetes: {context: k}}, box: {}}
models: {m: {source: "hf://a/b"}}
deployments:
${[
  vllm('tensorParallel: 4', 'host: box, gpus: 2'),
  vllm('tensorParallel: 2, pipelineParallel: 2', 'host: box, gpus: 3'),
  vllm('tensorParallel: 2', 'host: k, target: {kind: kubernetes}'),
  vllm('tensorParallel: 2, pipelineParallel: 2', 'host: box, gpus: 4'),
  vllm('tensorParallel: 2', 'host: box, replicas: 1'),
  vllm('tensorParallel: 8, executor: ray', 'host: box, gpus: 5'),
  vllm('tensorParallel: 8, args: [--nnodes=2]', 'host: box, gpus: 6'),
  vllm('tensorParallel: 2, accelerator: cpu', 'host: k, target: {kind: kubernetes}, replicas: 2'),
].join('\n')}`;
  expect((await faultLines(text)).map((line) => line.replace(/^(\d+):\d+ \S+/, '$1'))).toEqual([
    '6 tensorParallel 4 wants 4 GPUs, and each replica is given 2. Write gpus: 4, or lower tensorParallel.',
    '7 tensorParallel 2 times pipelineParallel 2 wants 4 GPUs, and each replica is given 3. Write gpus: 4, or lower tensorParallel or pipelineParallel.',
    '8 tensorParallel 2 wants 2 GPUs, and each replica is given none. Write gpus: 2, or lower tensorParallel, or write accelerator: cpu where it is to compute on CPUs.',
  ]);
});

async function toldOf(deployment: string): Promise<string[]> {
  const lines = await faultLines(`version: 1
fleet: lab
hosts: {k: {kubernetes: {context: k}}, box: {}}
models: {m: {source: "hf://a/b"}}
deployments: {a: {model: m, ${deployment}}}`);
  return lines.map((line) => line.replace(/^\S+ \S+ (.*?\.).*/, '$1'));
}

const two = 'engine: {kind: vllm, tensorParallel: 2}';

test.each([
  `host: k, target: {kind: kserve, runtime: {use: cuda}}, ${two}`,
  `host: k, target: {kind: kserve, dashboard: {hardwareProfile: {name: two}}}, ${two}`,
  `host: box, gpus: 1, target: {kind: docker, gpuIds: ["0", "1"]}, ${two}`,
  `host: box, gpus: 1, replicas: 2, target: {kind: docker, gpuIds: ["0", "1", "2", "3"]}, ${two}`,
  `host: box, gpus: 2, replicas: 2, target: {kind: docker, gpuIds: ["0", "1", "2"]}, ${two}`,
  `host: box, target: {kind: docker, gpuIds: ["0"]}, ${two}`,
  `host: box, gpus: 1, target: {kind: docker, gpuIds: ["0"]}, engine: {kind: vllm, tensorParallel: 2, accelerator: rocm}`,
])(
  'GPUs that something else brings are passed over, and those that are named count: %s',
  async (deployment) => {
    expect(await toldOf(deployment)).toEqual([]);
  },
);

test.each([
  [`host: k, gpus: 1, target: {kind: kserve, runtime: {use: cuda}}, ${two}`, '1'],
  [`host: k, target: {kind: kserve}, ${two}`, 'none'],
  ['host: k, engine: {kind: vllm, tensorParallel: 2, accelerator: cuda}', '1'],
  [`host: box, gpus: 2, target: {kind: docker, gpuIds: ["0"]}, ${two}`, '1'],
  [`host: box, gpus: 1, replicas: 2, target: {kind: docker, gpuIds: ["0", "1"]}, ${two}`, '1'],
])('too few are told as what the replica has: %s', async (deployment, given) => {
  expect(await toldOf(deployment)).toEqual([
    `tensorParallel 2 wants 2 GPUs, and each replica is given ${given}.`,
  ]);
});
