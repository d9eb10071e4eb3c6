import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import type { Turn } from './fake-upstream.ts';
import { chat, dial, post, start, until } from './harness.ts';

const established = '01';
const keepAlive = '02';

/** Timers of the open connections of this machine with such a port on that side, as the kernel tells them. */
function timers(side: 'local' | 'remote', port: number): string[] {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, remote, state]) => {
      const address = side === 'local' ? local : remote;
      return state === established && address?.endsWith(end) === true;
    })
    .map((fields) => String(fields[5]).slice(0, 2));
}

test.runIf(process.platform === 'linux')(
  'rule 9: the kernel asks engines and clients that say nothing whether they are there',
  async () => {
    const held: Turn[] = [];
    const { upstream, gateway } = await start((turn) => void held.push(turn));
    const wire = await dial(gateway.port, post('/v1/chat/completions', chat()));
    onTestFinished(() => void wire.socket.destroy());
    await until('the engine reads the prompt', () => held.length === 1);
    const enginePort = Number(new URL(upstream.url).port);
    await until('nothing is under way on either wire', () => {
      const seen = [...timers('remote', enginePort), ...timers('local', gateway.port)];
      return seen.length > 0 && seen.every((timer) => timer === keepAlive);
    });
    expect(timers('remote', enginePort)).toEqual([keepAlive]);
    expect(timers('local', gateway.port)).toEqual([keepAlive]);
  },
);
