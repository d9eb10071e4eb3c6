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
    '8 tensorParallel 2 wants 2 GPUs, and each replica is given none. Write gpus: 2, or lower tensorParallel.',
  ]);
});
