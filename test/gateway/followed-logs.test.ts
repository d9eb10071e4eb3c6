import { expect, test } from 'vitest';
import { wellBehaved } from './fake-upstream.ts';
import { freePorts } from '../support/berth.ts';
import { configFor, engine, front, logFileWith, runGateway, sha256, until } from './harness.ts';

/** A log that is followed has no end of its own. */

function keyNamed(name: string) {
  return { id: name, name, sha256: sha256(name), control: true };
}

async function follow(url: string, key: string): Promise<{ text: string; ended: boolean }> {
  const seen = { text: '', ended: false };
  const reply = await fetch(`${url}/logs/stream/m`, { headers: { authorization: `Bearer ${key}` } });
  void (async () => {
    for await (const part of reply.body ?? []) seen.text += Buffer.from(part as Uint8Array).toString();
    seen.ended = true;
  })();
  await until('it has begun', () => seen.text === 'it has begun\n');
  return seen;
}

test('a log is told no longer than the key holds that it was asked for with, and keeps no gateway from ending', async () => {
  const logFile = await logFileWith('it has begun\n');
  const upstream = await engine(wellBehaved);
  const limits = { drainMs: 600_000 };
  const config = configFor([{ url: upstream.url, logFile }], {
    keys: [keyNamed('stays'), keyNamed('goes')],
    limits,
  });
  const gateway = await runGateway(config);
  const [stays, goes] = [await follow(gateway.url, 'stays'), await follow(gateway.url, 'goes')];
  await gateway.reload({ ...config, keys: [keyNamed('stays')] });
  await until('the one whose key is gone has ended', () => goes.ended);
  expect(stays.ended).toBe(false);
  // It would wait for ten minutes.
  await gateway.close();
  await until('the other one has, too', () => stays.ended);
});

test('a log that is followed ends with its address, and in good order', async () => {
  const logFile = await logFileWith('it has begun\n');
  const upstream = await engine(wellBehaved);
  const [goes = 0, stays = 0] = await freePorts(2);
  function config(...ports: number[]) {
    return configFor([{ url: upstream.url, logFile }], {
      listen: ports.map((port) => ({ address: '127.0.0.1', port })),
      keys: [keyNamed('key')],
      limits: { drainMs: 600_000 },
    });
  }
  const gateway = await front(config(goes, stays));
  const first = await follow(`http://127.0.0.1:${goes}`, 'key');
  const second = await follow(`http://127.0.0.1:${stays}`, 'key');
  await gateway.reload(config(stays));
  // It would have ten minutes.
  await until('it has ended', () => first.ended);
  expect(second.ended).toBe(false);
});
