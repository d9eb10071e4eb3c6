import { describe, expect, test } from 'vitest';
import { definedServer } from './defined-server.ts';

function server(
  image: string,
  args: string,
  { command = '', env = {} }: { command?: string; env?: Record<string, string> } = {},
): string | null {
  const words = [command, args].map((text) => text.split(' ').filter(Boolean));
  const found = definedServer({ image, command: words[0] ?? [], args: words[1] ?? [], env });
  return found && `${found.engine} ${found.model} ${found.port}`;
}

describe('a container is the server of its image', () => {
  test.each([
    ['ghcr.io/ggml-org/llama.cpp:server-cuda-b6000', '-m /m/a.gguf --port 8080', 'llama.cpp /m/a.gguf 8080'],
    ['ghcr.io/ggml-org/llama.cpp:full', '--server -m /m/a.gguf --port 8080', 'llama.cpp /m/a.gguf 8080'],
    ['vllm/vllm-openai@sha256:0123', '--model a/b --port 8000', 'vllm a/b 8000'],
    ['vllm/vllm-openai:v0.11.0', 'serve a/b', 'vllm a/b null'],
    ['registry.redhat.io/rhaiis/vllm-cuda-rhel9:3.2', '--model a/b', 'vllm a/b null'],
    ['registry.example:5000/mirror/vllm:0.10-gpu-py312', '--model a/b', 'vllm a/b null'],
    [
      'nvcr.io/nvidia/vllm:25.09-py3',
      'python3 -m vllm.entrypoints.openai.api_server --model a/b',
      'vllm a/b null',
    ],
    ['ollama/ollama:0.12', '', 'ollama null null'],
    ['ollama/ollama', 'serve', 'ollama null null'],
    [
      'lmsysorg/sglang:v0.5',
      'python3 -m sglang.launch_server --model-path a/b --port 30000',
      'sglang a/b 30000',
    ],
    ['ghcr.io/huggingface/text-generation-inference:3.3', '--model-id a/b --port 80', 'tgi a/b 80'],
    ['localai/localai:latest-cpu', '--address :8080', 'localai null 8080'],
    ['koboldai/koboldcpp:latest', '--model /m/a.gguf --port 5001', 'koboldcpp /m/a.gguf 5001'],
    ['ghcr.io/theroyallab/tabbyapi:latest', '', 'tabbyapi null null'],
    ['ghcr.io/theroyallab/tabbyapi:latest', 'main.py --port 5000', 'tabbyapi null 5000'],
    ['ghcr.io/mostlygeek/llama-swap:cuda', '--config /c.yaml --listen :8080', 'llama-swap null 8080'],
    ['openvino/model_server:latest', '--model_path /m --rest_port 8000', 'openvino /m 8000'],
    ['kserve/huggingfaceserver:v0.15.0', '--model_id=a/b --model_name=b', 'kserve-huggingface a/b 8080'],
    ['nvcr.io/nim/meta/llama-3.1-8b-instruct:1.8', '', 'nim null 8000'],
    ['nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.5', 'python3 -m dynamo.frontend', 'dynamo null 8000'],
    ['nvcr.io/nvidia/tensorrt-llm/release:1.0', 'trtllm-serve a/b --port 8000', 'tensorrt-llm a/b 8000'],
  ])('%s %s', (image, args, wanted) => {
    expect(server(image, args)).toBe(wanted);
  });
});

describe('a container that does something else, or stands beside a server, is none', () => {
  test.each([
    ['vllm/vllm-openai:v0.11.0', 'sleep infinity'],
    ['vllm/vllm-openai:v0.11.0', 'bash'],
    ['vllm/vllm-openai:v0.11.0', 'python3 /srv/batch.py --model a/b'],
    ['vllm/vllm-openai:v0.11.0', '--help'],
    ['ollama/ollama', 'pull gemma3'],
    ['ghcr.io/ggml-org/llama.cpp:light', '-m /m/a.gguf -p hi'],
    ['ghcr.io/ggml-org/llama.cpp:full', '--convert --outtype f16 /m'],
    ['ghcr.io/vllm-project/vllm-router:v1', '--service-discovery k8s'],
    ['example/vllm-exporter:1', '--port 9100'],
    ['example/vllm-benchmark:1', '--model a/b'],
    ['nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.5', ''],
    ['ghcr.io/open-webui/open-webui:ollama', ''],
    ['ghcr.io/berriai/litellm:main', '--config /c.yaml'],
    ['openvino/ubuntu22_runtime:latest', ''],
    ['nginx:1.27', ''],
  ])('%s %s', (image, args) => {
    expect(server(image, args)).toBeNull();
  });
});

test('a command of the container stands in the place of what its image runs', () => {
  const image = 'vllm/vllm-openai:v0.11.0';
  expect(server(image, 'infinity', { command: 'sleep' })).toBeNull();
  expect(server(image, '--model a/b', { command: '/entrypoint.sh vllm serve' })).toBe('vllm a/b null');
  expect(server('ollama/ollama', 'serve', { command: '/bin/ollama', env: { OLLAMA_HOST: ':11435' } })).toBe(
    'ollama null 11435',
  );
  const text = ['bash', '-c', 'exec vllm serve $MODEL --port 8000'];
  expect(definedServer({ image, command: [], args: text, env: { MODEL: 'a/b' } })).toMatchObject({
    model: 'a/b',
    port: 8000,
  });
});
