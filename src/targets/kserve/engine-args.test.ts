import { expect, test } from 'vitest';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { command } from '../../engines/command.ts';
import { llamaCpp } from '../../engines/llama-cpp.ts';
import { vllm } from '../../engines/vllm.ts';
import { engineArgs } from './engine-args.ts';
import { KserveOptions } from './options.ts';

const given = {
  deployment: 'big',
  mmproj: null,
  gpus: 4,
  cores: null,
  key: null,
  modelKey: null,
  help: null,
};

function vllmSpec(model: string): LaunchSpec {
  return vllm.launch({ ...given, model, options: vllm.options.parse({ kind: 'vllm', context: 16384 }) });
}

function llamaSpec(model: string): LaunchSpec {
  return llamaCpp.launch({ ...given, model, options: llamaCpp.options.parse({ kind: 'llama.cpp' }) });
}

function argsOf(spec: LaunchSpec, runtime: KserveOptions['runtime'] = { use: 'vllm-cuda-runtime' }): string {
  return engineArgs(spec, KserveOptions.parse({ kind: 'kserve', runtime })).join(' ');
}

const added =
  '--served-model-name big --tensor-parallel-size 4 --max-model-len 16384 --gpu-memory-utilization 0.9';

test('behind a runtime that starts vLLM itself stands what adds to its arguments, and nothing that it says or would refuse', () => {
  expect(argsOf(vllmSpec('pvc://claim/q')).split(' --').toSorted()).toEqual(added.split(' --').toSorted());
  expect(argsOf(vllmSpec('s3://models/big'))).not.toMatch(/serve |\/mnt\/models|--(host|port|model)\b/);
});

test('a model that lies elsewhere than where runtimes look is named by a flag, as a module takes no other word', () => {
  expect(argsOf(vllmSpec('pvc://claim/q/m.gguf'))).toMatch(/^--model \/mnt\/models\/m\.gguf --/);
  expect(argsOf(vllmSpec('hf://Qwen/Qwen3-0.6B'))).toMatch(/^--model Qwen\/Qwen3-0\.6B --/);
  const llama = argsOf(llamaSpec('pvc://claim/q/m.gguf'));
  expect(llama).toContain('--model /mnt/models/m.gguf');
  expect(llama).not.toMatch(/--(host|port) /);
  expect(argsOf(llamaSpec('pvc://claim/q'))).not.toContain('/mnt/models');
});

test('a runtime that berth makes has no arguments, so its services say all of them', () => {
  expect(argsOf(vllmSpec('pvc://claim/q'), { create: 'shared' })).toMatch(
    /^serve \/mnt\/models --host 0\.0\.0\.0 --port 8080 /,
  );
});

test('the words of a command stay as they are', () => {
  const words = ['server', '--port', '{port}', '-m', '{model}'];
  const options = command.options.parse({ kind: 'command', command: words });
  expect(argsOf(command.launch({ ...given, model: 'pvc://claim/q', options }))).toBe(
    '--port 8080 -m /mnt/models',
  );
});
