import { expect, test } from 'vitest';
import { recognize } from './registry.ts';

function facts(argv: readonly string[], exe: string | null = null): Parameters<typeof recognize>[0] {
  return { pid: 1, ppid: 0, argv, exe, env: {}, cwd: null };
}

test('a server that was given another name is known by its program, and no other program is', () => {
  const argv = ['kimi', '-m', '/srv/kimi.gguf', '--port', '8081'];
  expect(recognize(facts(argv, '/usr/bin/llama-server (deleted)'))).toMatchObject({
    engine: 'llama.cpp',
    model: '/srv/kimi.gguf',
    port: 8081,
  });
  expect(recognize(facts(argv, '/usr/bin/vim'))).toBeNull();
  expect(recognize(facts(argv))).toBeNull();
});

test('a flag of vLLM with its value in itself does not take the model', () => {
  const argv = ['vllm', 'serve', '--api-server-count', '2', '-O3', 'm/x', '--port', '8001'];
  expect(recognize(facts(argv))).toMatchObject({ engine: 'vllm', model: 'm/x', port: 8001 });
});

test('the last flag of a group keeps its value', () => {
  const text = '(cd /srv && ./llama-server -m a.gguf --port 8080) | tee log';
  expect(recognize(facts(['sh', '-c', text]))).toMatchObject({ engine: 'llama.cpp', port: 8080 });
  const quoted = 'cd /srv && ./llama-server -m "a (1)" --port 8080';
  expect(recognize(facts(['sh', '-c', quoted]))).toMatchObject({ model: 'a (1)' });
});

test('what watches a server is none', () => {
  expect(recognize(facts(['llama-server-watchdog', '-m', 'a']))).toBeNull();
  expect(recognize(facts(['llama-server-cuda', '-m', 'a']))).toMatchObject({ engine: 'llama.cpp' });
});

test('a file that a server opened from where it was started stays among its words: beside a fleet file lies none of it', () => {
  const vllm = recognize(facts(['vllm', 'serve', 'm/x', '--chat-template', './t.jinja', '--port', '1']));
  expect(vllm?.options).toMatchObject({ args: ['--chat-template', './t.jinja'] });
  expect(vllm?.options).not.toHaveProperty('chatTemplate');
  const llama = recognize(facts(['llama-server', '-m', '/a', '--chat-template-file', 't.jinja']));
  expect(llama?.options).toMatchObject({ args: ['--chat-template-file', 't.jinja'] });
  const whole = recognize(facts(['llama-server', '-m', '/a', '--chat-template-file', '/t.jinja']));
  expect(whole?.options).toMatchObject({ chatTemplateFile: '/t.jinja' });
});
