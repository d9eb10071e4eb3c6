import { expect, test } from 'vitest';
import { healthyObservation } from '../../../test/support/healthy-observation.ts';
import { keptUses, usesNow } from './activity.ts';
import type { GatewayCounts, Use } from './activity.ts';

const days = ['2026-11-01', '2026-11-08', '2026-11-15', '2026-11-22'].map((day) => `${day}T09:00:00.000Z`);
const [first = '', second = '', third = '', fourth = ''] = days;

/** One server's counter at one look. */
interface Look {
  readonly at: string;
  readonly tokens: number | null;
  readonly ticks?: number;
  readonly startedAt?: string;
  readonly gateway?: GatewayCounts;
}

/** Since when it counts as not used, look by look. */
function since(looks: readonly Look[]): (string | undefined)[] {
  let uses: Use[] = [];
  return looks.map(({ at, tokens, ticks = 1, startedAt = '2026-10-01T00:00:00.000Z', gateway = null }) => {
    const [host] = healthyObservation().hosts;
    const [server] = host?.servers ?? [];
    if (!host || !server) throw new Error('The healthy machine has lost its servers.');
    Object.assign(server, { startedAt, process: { ...server.process, startTicks: ticks } });
    server.told.tokens = tokens;
    const now = usesNow(uses, { at, hosts: [{ ...host, servers: [server] }], gateway });
    uses = keptUses(uses, now, ['local']);
    return uses[0]?.since;
  });
}

test('a counter that stands still has not been used since the first look that saw it so', () => {
  const looks = [first, second, third].map((at) => ({ at, tokens: 500 }));
  expect(since(looks)).toEqual([first, first, first]);
});

test('one that has moved was used at that look at the latest, and one at nothing not since its start', () => {
  expect(since([{ at: first, tokens: 0 }])).toEqual(['2026-10-01T00:00:00.000Z']);
  expect(
    since([
      { at: first, tokens: 500 },
      { at: second, tokens: 501 },
      { at: third, tokens: 501 },
    ]),
  ).toEqual([first, second, second]);
});

test('a restart brings the counter back to nothing, and does not make the server one that was never used', () => {
  const again = { ticks: 2, startedAt: third };
  expect(
    since([
      { at: first, tokens: 500 },
      { at: second, tokens: 500 },
      { at: fourth, tokens: 0, ...again },
    ]),
  ).toEqual([first, first, third]);
  // The same figure as before, counted by another process.
  expect(
    since([
      { at: first, tokens: 500 },
      { at: fourth, tokens: 500, ...again },
    ]),
  ).toEqual([first, fourth]);
});

test('an engine that counts nothing is counted by the gateway, as long as the same one runs', () => {
  function counted(id: string, requests: number, startedAt = first): GatewayCounts {
    return { id, startedAt, requests: new Map([['kimi', requests]]) };
  }
  expect(since([{ at: first, tokens: null }])).toEqual([undefined]);
  expect(
    since([
      { at: second, tokens: null, gateway: counted('a', 7) },
      { at: third, tokens: null, gateway: counted('a', 7) },
      { at: fourth, tokens: null, gateway: counted('b', 0, third) },
    ]),
  ).toEqual([second, second, third]);
});

test('what is known of hosts that were not looked at stays', () => {
  const use: Use = { host: 'a10', pid: 1, by: 'engine', id: 'x', count: 1, since: first };
  expect(keptUses([use], [], ['local'])).toEqual([use]);
  expect(keptUses([use], [], ['local', 'a10'])).toEqual([]);
});
