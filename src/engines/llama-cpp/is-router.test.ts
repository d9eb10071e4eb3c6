import { expect, test } from 'vitest';
import { recognize } from '../registry.ts';

function engineOf(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  more: { partialEnv?: boolean } = {},
): string | undefined {
  return recognize({ pid: 0, ppid: 0, argv, exe: null, env, cwd: null, ...more })?.engine;
}

test.each([
  [['llama-server', '--port', '8080']],
  [['llama-server', '--models_dir', '/m', '$ARGS']],
  [['llama-server', '--models-preset=/m.ini']],
])('%j is a router', (argv) => {
  expect(engineOf(argv)).toBe('llama-router');
});

test.each([
  [['llama-server', '--hf_repo', 'org/m']],
  [['llama-server', '--model_url=https://example.org/m.gguf']],
  [['llama-server', '--docker_repo', 'ai/m']],
  [['llama-server', '--port', '8080', '$ARGS']],
  [['sh', '-c', 'exec llama-server $LLAMA_EXTRA_ARGS']],
])('%j may name a model, and is none', (argv) => {
  expect(engineOf(argv)).toBe('llama.cpp');
});

test.each(['LLAMA_ARG_MODEL', 'LLAMA_ARG_HF_REPO', 'LLAMA_ARG_MODEL_URL', 'LLAMA_ARG_DOCKER_REPO'])(
  'a server with %s from elsewhere, whose value does not show, is none',
  (name) => {
    expect(engineOf(['llama-server'], { [name]: '' })).toBe('llama.cpp');
  },
);

test('a server of which not all variables show is none, but where it is given several models', () => {
  expect(engineOf(['llama-server'], {}, { partialEnv: true })).toBe('llama.cpp');
  expect(engineOf(['llama-server', '--models-dir', '/m'], {}, { partialEnv: true })).toBe('llama-router');
});
