import { expect, test } from 'vitest';
import { originRefusal, tokenRefusal } from './guard.ts';

function asked(values: Record<string, string>): { header: (name: string) => string | undefined } {
  return { header: (name) => values[name] };
}

function codeOf(
  values: Record<string, string>,
  address = '127.0.0.1',
  hostNames: string[] = [],
): string | null {
  return originRefusal(asked(values), { address, hostNames })?.code ?? null;
}

test('loopback names pass with any port, so that a forwarded port works', () => {
  for (const host of ['127.0.0.1:8485', 'localhost', 'LOCALHOST:9000', '[::1]:8485'])
    expect(codeOf({ host }), host).toBeNull();
});

test('a name that was made to resolve to this machine is refused', () => {
  for (const host of [
    'evil.example:8485',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '',
    '192.168.0.7',
  ])
    expect(codeOf({ host }), host).toBe('CONTROL_HOST_REFUSED');
});

test('a server on all addresses is reached by any address literal and by the names it was told', () => {
  expect(codeOf({ host: '192.168.0.7:8485' }, '0.0.0.0')).toBeNull();
  expect(codeOf({ host: '[fd00::7]:8485' }, '::')).toBeNull();
  expect(codeOf({ host: 'box.lan:8485' }, '0.0.0.0')).toBe('CONTROL_HOST_REFUSED');
  expect(codeOf({ host: 'box.lan:8485' }, '0.0.0.0', ['box.lan'])).toBeNull();
});

test('a page of another origin is refused, also one on another port of the same host', () => {
  const host = '127.0.0.1:8485';
  expect(codeOf({ host, origin: 'http://127.0.0.1:8485' })).toBeNull();
  for (const origin of ['http://127.0.0.1:3000', 'http://localhost:8485', 'https://evil.example', 'null'])
    expect(codeOf({ host, origin }), origin).toBe('CONTROL_ORIGIN_REFUSED');
});

test('a token is asked for and compared whole', () => {
  function given(authorization?: string): unknown {
    return tokenRefusal(asked(authorization ? { authorization } : {}), 'secret')?.facts ?? null;
  }
  expect(given('Bearer secret')).toBeNull();
  expect(given()).toEqual({ given: 'none' });
  expect(given('Basic secret')).toEqual({ given: 'none' });
  for (const wrong of ['Bearer secre', 'Bearer secrets', 'Bearer SECRET'])
    expect(given(wrong)).toEqual({ given: 'wrong' });
});
