import { expect, test } from 'vitest';
import { forwardArgv } from './arguments.ts';

test('a port is forwarded as it is, and a socket by its path, whatever signs that has', () => {
  const port = forwardArgv('me@box', '/tmp/c1', { from: '127.0.0.1:4000', to: '[::1]:80' });
  expect(port.slice(-5)).toEqual(['-O', 'forward', '-L', '127.0.0.1:4000:[::1]:80', 'me@box']);
  const socket = forwardArgv('me@box', '/tmp/c1', { from: '/tmp/a b/s0', to: '/run/user/1:2/50%.sock' });
  expect(socket.at(-2)).toBe('/tmp/a b/s0:/run/user/1\\:2/50%%.sock');
});
