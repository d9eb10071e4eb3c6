import { expect, test } from 'vitest';
import { fleetFindings } from '../../../test/support/fleet-faults.ts';

/** What is told of the image of one deployment. */
async function told(engine: string, target: string): Promise<string[]> {
  const host = target.includes('kube') || target.includes('kserve') ? 'k' : 'box';
  const findings = await fleetFindings(`version: 1
fleet: lab
hosts: {box: {}, k: {kubernetes: {context: k}}}
models: {m: {source: /m.gguf, at: {k: {hostPath: /srv}}}, h: {source: "hf://a/b"}}
deployments: {a: {host: ${host}, engine: ${engine}, target: ${target}, model: ${engine.includes('vllm') ? 'h' : 'm'}}}`);
  return findings.flatMap((one) =>
    one.rule === 'rolling-image' ? [`${one.object}: ${one.message} ${one.cure}`] : [],
  );
}

const usual = 'Set target.image with a version or a digest (NAME:VERSION, NAME@sha256:…).';

test.each([
  [
    '{kind: llama.cpp}',
    '{kind: docker}',
    'ghcr.io/ggml-org/llama.cpp:server',
    'engine.build, such as b6000, or ',
  ],
  [
    '{kind: llama.cpp}',
    '{kind: kubernetes}',
    'ghcr.io/ggml-org/llama.cpp:server',
    'engine.build, such as b6000, or ',
  ],
  ['{kind: vllm}', '{kind: docker}', 'vllm/vllm-openai-cpu:latest', 'engine.version, such as 0.18.0, or '],
  ['{kind: vllm}', '{kind: kserve}', 'vllm/vllm-openai-cpu:latest', 'engine.version, such as 0.18.0, or '],
  ['{kind: vllm, version: 0.18.0, accelerator: rocm}', '{kind: docker}', 'rocm/vllm:latest', ''],
  ['{kind: llama.cpp, build: b6000}', '{kind: docker, image: "box:5000/llama"}', 'box:5000/llama', ''],
  ['{kind: command, command: [x]}', '{kind: docker, image: "x:latest"}', 'x:latest', ''],
])('an image that rolls is told with what pins it: %s %s', async (engine, target, image, pin) => {
  expect(await told(engine, target)).toEqual([
    `a: Its image ${image} is another one after the next release. ${usual.replace('Set ', `Set ${pin}`)}`,
  ]);
});

test.each([
  ['{kind: llama.cpp, build: b6000}', '{kind: docker}'],
  ['{kind: vllm, version: 0.18.0}', '{kind: docker}'],
  ['{kind: llama.cpp}', '{kind: docker, image: "ghcr.io/ggml-org/llama.cpp:server-b6000"}'],
  ['{kind: llama.cpp}', `{kind: kubernetes, image: "x:latest@sha256:${'a'.repeat(64)}"}`],
  ['{kind: vllm}', '{kind: kserve, runtime: {use: vllm-cuda-runtime}}'],
  ['{kind: llama.cpp}', '{kind: process}'],
  ['{kind: llama.cpp}', '{kind: systemd}'],
])('one that is pinned is passed over, and so is what has none: %s %s', async (engine, target) => {
  expect(await told(engine, target)).toEqual([]);
});
