import { expect, test } from 'vitest';
import type { World } from '../../io/world.ts';
import { wayFault } from './daemon.ts';

/** A user of another machine for whom the question whether a socket may be written to ends with that code. */
function thereWith(code: number): World {
  const exec = { run: () => Promise.resolve({ code, stdout: '', stderr: '' }) };
  return { machine: 'ssh://box', env: { USER: 'op' }, exec, uid: 1000 } as unknown as World;
}

function fallen(code: string): Error {
  return Object.assign(new Error(code), { code });
}

test.each(['ECONNRESET', 'EPIPE'])(
  'a connection by ssh that ends with %s was refused by the rights of its socket where the user lacks them',
  async (code) => {
    const fault = await wayFault(thereWith(1), 'unix:///run/docker.sock', fallen(code));
    expect([fault.code, fault.message]).toEqual([
      'DOCKER_FORBIDDEN',
      'The user op may not use the container engine at unix:///run/docker.sock of ssh://box.',
    ]);
    const other = await wayFault(thereWith(0), 'unix:///run/docker.sock', fallen(code));
    expect([other.code, other.message]).toEqual([
      'DOCKER_UNREACHABLE',
      expect.stringContaining('nothing answers there') as string,
    ]);
  },
);
