import { sshTyped } from '../ssh-typed.ts';
import { defineError } from './define.ts';

/** Faults of another machine, or of the way there; `host` is "ssh://opc@a10", `said` what ssh or the program there said. */
export const sshErrors = {
  HOST_UNREACHABLE: defineError<{ host: string; said: string }>(
    (f) => `${f.host} cannot be reached: ${f.said}.`,
    (f) => `Check that "${sshTyped(f.host)} true" works from here, without asking anything.`,
    'targetDown',
  ),
  HOST_KEY_UNKNOWN: defineError<{ host: string; said: string }>(
    (f) => `The key of ${f.host} is not known here, so it could be another machine: ${f.said}`,
    (f) => `Run "${sshTyped(f.host)}" once by hand and compare the fingerprint that it shows.`,
  ),
  HOST_KEY_CHANGED: defineError<{ host: string; said: string }>(
    (f) => `${f.host} shows another key than the one that is known here: it may be another machine.`,
    (f) =>
      `If it was set up anew, forget its old key with "ssh-keygen -R" and run "${sshTyped(f.host)}" once by hand. ssh says: ${f.said}`,
  ),
  HOST_DENIED: defineError<{ host: string; said: string }>(
    (f) => `${f.host} does not let us in: ${f.said}`,
    (f) =>
      `Have "${sshTyped(f.host)} true" work without a password: load a key into the agent, or name an IdentityFile for this host in the configuration of ssh.`,
  ),
  HOST_NO_SHELL: defineError<{ host: string; said: string }>(
    (f) => `${f.host} lets us in but runs no command: ${f.said}`,
    (f) =>
      `"${sshTyped(f.host)} true" must run a command in a POSIX shell: check the login shell there, and that no command is forced on this key.`,
  ),
  HOST_LACKS: defineError<{ host: string; lacks: readonly string[] }>(
    (f) => `${f.host} lacks what berth needs there: ${f.lacks.join(', ')}.`,
    () => 'berth needs Linux with a POSIX shell, coreutils and util-linux there, or busybox for both.',
  ),
  HOST_TWICE: defineError<{ host: string; other: string }>(
    (f) =>
      `${f.host} is the same machine as ${f.other === 'local' ? 'the one that berth runs on' : f.other}.`,
    (f) =>
      f.other === 'local'
        ? 'Say "local: true" in place of "ssh" for this host.'
        : 'Have both hosts of the fleet file say the same "ssh", or make them one.',
  ),
  HOST_SLOW: defineError<{ host: string; doing: string; seconds: number }>(
    (f) => `${f.host} did not answer within ${f.seconds} s (${f.doing}).`,
    (f) => `Check the load of that machine and the way to it: "${sshTyped(f.host)} uptime".`,
    'targetDown',
  ),
  HOST_LOST: defineError<{ host: string; said: string }>(
    (f) => `The connection to ${f.host} was lost: ${f.said}.`,
    () => 'Run the same command again once the machine answers; it goes on from what it finds there.',
    'targetDown',
  ),
  HOST_REFUSES: defineError<{ host: string; what: string; said: string }>(
    (f) => `${f.what} failed on ${f.host}: ${f.said}.`,
    () => 'Check the rights of the user that ssh logs in as, and the space on that machine.',
  ),
};
