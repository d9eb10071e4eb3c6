import { expect, test } from 'vitest';
import { holdSecret, redact, secretFlagsOf } from './redact.ts';

test('secrets in a command line are named and never shown', () => {
  const argv = [
    'vllm',
    'serve',
    'm',
    '--api-key',
    'sk-1',
    '--hf-token=hf_2',
    '-hft',
    'hf_3',
    '--password',
    'x',
  ];
  expect(secretFlagsOf(argv)).toEqual(['--api-key', '--hf-token', '-hft', '--password']);
  expect(redact(argv).join(' ')).toBe('vllm serve m --api-key *** --hf-token=*** -hft *** --password ***');
});

test('flags that only sound like secrets are left alone', () => {
  const argv = [
    '--api-key-file',
    '/run/key',
    '--max-tokens',
    '5',
    '--eos-token',
    '</s>',
    '--api-key',
    '$KEY',
  ];
  expect(secretFlagsOf(argv)).toEqual([]);
  expect(redact(argv.slice(0, 6))).toEqual(argv.slice(0, 6));
});

test('secrets inside the text of a shell, a title or an address are replaced too', () => {
  const shell = ['sh', '-c', `env A=b llama-server --api-key "sk 1" -m x; vllm serve m --hf-token=hf_2`];
  expect(redact(shell)[2]).toBe('env A=b llama-server --api-key *** -m x; vllm serve m --hf-token=***');
  expect(secretFlagsOf(shell)).toEqual(['--api-key', '--hf-token']);
  expect(redact(['env', 'HF_TOKEN=hf_1', 'A=b', 'x'])).toEqual(['env', 'HF_TOKEN=***', 'A=b', 'x']);
  expect(redact(['-mu', 'https://me:pw@host/x.gguf'])).toEqual(['-mu', 'https://***@host/x.gguf']);
});

test('a flag without a value does not hide the secret of the next', () => {
  const shell = ['sh', '-c', 'x --use-auth-token --api-key s3cr3t --token --hf-token=t0ken'];
  expect(redact(shell)[2]).toBe('x --use-auth-token --api-key *** --token --hf-token=***');
  expect(secretFlagsOf(shell)).toEqual(['--api-key', '--hf-token']);
});

test('what only begins like the name of a variable is a secret', () => {
  expect(redact(['x', '--api-key', '$ecret123'])).toEqual(['x', '--api-key', '***']);
  expect(redact(['x', '--api-key', '$KEY', '--api-key=${KEY}'])).toEqual([
    'x',
    '--api-key',
    '$KEY',
    '--api-key=${KEY}',
  ]);
});

test('a word that stands for no secret is left, so that it shows that there is none', () => {
  const argv = [
    'vllm',
    'serve',
    'm',
    '--api-key',
    'EMPTY',
    '--hf-token=none',
    '--password',
    'sk-no-key-required',
  ];
  expect(redact(argv)).toEqual(argv);
  expect(redact(['sh', '-c', 'vllm serve m --api-key EMPTY --hf-token "hf_1"'])).toEqual([
    'sh',
    '-c',
    'vllm serve m --api-key EMPTY --hf-token ***',
  ]);
  expect(redact(['x', '--api-key', 'EMPTY1'])).toEqual(['x', '--api-key', '***']);
});

test('a flag that is spelt with underscores holds a secret as well', () => {
  const argv = ['vllm', 'serve', 'm', '--api_key=sk-1', '--hf_token', 'hf_2', '--eos_token', '</s>'];
  expect(redact(argv).join(' ')).toBe('vllm serve m --api_key=*** --hf_token *** --eos_token </s>');
  expect(secretFlagsOf(argv)).toEqual(['--api_key', '--hf_token']);
});

test('options hold a secret where it is shown, where it was replaced, and where a flag for one has a word', () => {
  expect(holdSecret({ kind: 'vllm', args: ['--api-key', '***'] })).toBe(true);
  expect(holdSecret({ kind: 'vllm', args: ['--api-key', 'EMPTY'] })).toBe(true);
  expect(holdSecret({ kind: 'vllm', context: 4096, args: ['--swap-space', '4'] })).toBe(false);
  expect(holdSecret({ kind: 'vllm' })).toBe(false);
});

test('keys of an administrator, a master, a page and a list are secrets, every one of the list', () => {
  const argv = ['x', '--api-keys', 'A', 'B', '--admin-key=C', '--master-key', 'D', '--gradio-auth', 'me:E'];
  expect(redact(argv).join(' ')).toBe(
    'x --api-keys *** *** --admin-key=*** --master-key *** --gradio-auth ***',
  );
  expect(secretFlagsOf(argv)).toEqual(['--api-keys', '--admin-key', '--master-key', '--gradio-auth']);
  expect(redact(['vllm', 'serve', 'm', '--api-key', 'EMPTY', 'B', 'C', '-O3']).join(' ')).toBe(
    'vllm serve m --api-key EMPTY *** *** -O3',
  );
  const others = ['x', '--gradio-auth-path', '/a', '--api-key', 'A', '--model', 'm/x'];
  expect(redact(others)).toEqual(['x', '--gradio-auth-path', '/a', '--api-key', '***', '--model', 'm/x']);
});

test('the text of a shell hides every key of a list, and no more than the list', () => {
  function hidden(text: string): string {
    return redact(['sh', '-c', text])[2] ?? '';
  }
  expect(hidden('vllm serve m --api-key A "B" EMPTY C --port 1')).toBe(
    'vllm serve m --api-key *** *** EMPTY *** --port 1',
  );
  expect(hidden('vllm serve m --api-key A 2>&1 | tee log')).toBe('vllm serve m --api-key *** 2>&1 | tee log');
  expect(hidden('x --api-key A && vllm serve m')).toBe('x --api-key *** && vllm serve m');
  expect(hidden('x --api-key A; vllm serve m')).toBe('x --api-key *** vllm serve m');
  expect(hidden('x --api-key "A B" C; vllm serve m')).toBe('x --api-key *** ***; vllm serve m');
  expect(hidden('x --password A m')).toBe('x --password *** m');
});

test('headers that carry a key are hidden, be they of a shell, of words or of a program', () => {
  function hidden(text: string): string {
    return redact(['CMD-SHELL', text])[1] ?? '';
  }
  expect(hidden('curl -f -H "Authorization: Bearer sk-1" http://localhost:8000/health')).toBe(
    'curl -f -H "Authorization: Bearer ***" http://localhost:8000/health',
  );
  expect(hidden("curl -H 'X-Api-Key: k1' -H api-key:k2 http://a")).toBe(
    "curl -H 'X-Api-Key: ***' -H api-key:*** http://a",
  );
  expect(hidden('wget --header="Proxy-Authorization: Basic bWU6cHc=" http://a')).toBe(
    'wget --header="Proxy-Authorization: Basic ***" http://a',
  );
  expect(hidden(`python3 -c "get(u, headers={'Authorization': 'Bearer sk-1'})"`)).toBe(
    `python3 -c "get(u, headers={'Authorization': 'Bearer ***'})"`,
  );
  expect(hidden(`python3 -c "r.add_header('api-key', 'k1')"`)).toBe(
    `python3 -c "r.add_header('api-key', '***')"`,
  );
  expect(hidden('curl -H "Authorization: Bearer $API_KEY" http://a')).toBe(
    'curl -H "Authorization: Bearer $API_KEY" http://a',
  );
  expect(
    redact(['curl', '-H', 'Authorization: Bearer sk-1', '-HX-Api-Key:k1==', '-HAuthorization: token k2']),
  ).toEqual(['curl', '-H', 'Authorization: Bearer ***', '-HX-Api-Key:***', '-HAuthorization: token ***']);
});
