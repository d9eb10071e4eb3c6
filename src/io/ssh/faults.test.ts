import { expect, test } from 'vitest';
import { connectFault, reasonOf } from './faults.ts';

/** What OpenSSH 9.2 wrote, and what is made of it. */
const said: readonly (readonly [string, string, string])[] = [
  [
    'ssh: connect to host 10.0.0.2 port 22: Connection refused\r\n',
    'HOST_UNREACHABLE',
    'connect to host 10.0.0.2 port 22: Connection refused',
  ],
  [
    'ssh: Could not resolve hostname nope: Name or service not known\r\n',
    'HOST_UNREACHABLE',
    'Could not resolve hostname nope: Name or service not known',
  ],
  [
    'No ED25519 host key is known for 10.0.0.2 and you have requested strict checking.\r\nHost key verification failed.\r\n',
    'HOST_KEY_UNKNOWN',
    'No ED25519 host key is known for 10.0.0.2 and you have requested strict checking.',
  ],
  [
    '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nOffending ED25519 key in /home/me/.ssh/known_hosts:1\r\nHost key verification failed.\r\n',
    'HOST_KEY_CHANGED',
    'Offending ED25519 key in /home/me/.ssh/known_hosts:1',
  ],
  [
    'me@10.0.0.2: Permission denied (publickey).\r\n',
    'HOST_DENIED',
    'me@10.0.0.2: Permission denied (publickey).',
  ],
  ['This account is currently not available.\n', 'HOST_NO_SHELL', 'This account is currently not available'],
  ['sh: not found\n', 'HOST_NO_SHELL', 'sh: not found'],
  ['', 'HOST_UNREACHABLE', 'ssh ended without a word'],
];

test.each(said)('%j is told as %s', (stderr, code, reason) => {
  const fault = connectFault('ssh://me@10.0.0.2:22', stderr);
  expect(fault.code).toBe(code);
  expect((fault.facts as { said: string }).said).toBe(reason);
  expect(`${fault.message} ${fault.cure}`).toContain(reason);
});

test('the cure names the command as it is typed', () => {
  expect(connectFault('ssh://me@10.0.0.2:2222', '').cure).toContain('"ssh -p 2222 me@10.0.0.2 true"');
});

test('of what a program there said the reason is kept', () => {
  expect(reasonOf('cat: /etc/shadow: Permission denied\n')).toBe('Permission denied');
  expect(reasonOf('')).toBe('it said nothing');
});
