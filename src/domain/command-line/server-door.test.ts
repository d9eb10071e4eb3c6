import { expect, test } from 'vitest';
import { doorOf } from './server-door.ts';

const certificate = ['--ssl-keyfile', '/k', '--ssl-certfile', '/c'];

test.each([
  [[], { tls: false, mutual: false, prefix: '' }],
  [certificate, { tls: true, mutual: false, prefix: '' }],
  [[...certificate, '--ssl-cert-reqs', '2'], { tls: true, mutual: true, prefix: '' }],
  [[...certificate, '--ssl_cert_reqs=2'], { tls: true, mutual: true, prefix: '' }],
  // A certificate is welcome, and nobody needs one.
  [[...certificate, '--ssl-cert-reqs', '1'], { tls: true, mutual: false, prefix: '' }],
  [['--api-prefix', 'chat/'], { tls: false, mutual: false, prefix: '/chat' }],
])('how a server that is started with %j says that it is asked', (argv, door) => {
  expect(doorOf(['vllm', 'serve', 'm', ...argv])).toEqual(door);
});
