import { expect, test } from 'vitest';
import { wellBehaved } from './fake-upstream.ts';
import type { Turn } from './fake-upstream.ts';
import { engine, postChat, until } from './harness.ts';
import { stage } from './on-demand-stage.ts';
import type { Stage } from './on-demand-stage.ts';

/** Copies of requests for a model on demand: nobody waits for them. */

const small = { need: { host: 1, gpu: 0 } };

/** The model a is loaded, and has a copy of a request for "m" under way that does not end. */
async function withCopy(ttlMs: number): Promise<Stage> {
  function one(deployment: string) {
    return { name: deployment, to: [{ deployment, weight: 1 }], aliasOf: null };
  }
  const shadow = { deployment: 'a', percent: 100 };
  const staged = await stage(
    { a: { ttlMs }, b: {}, main: small },
    {
      script: (turn: Turn) => {
        if (turn.request.headers['x-berth-shadow'] === undefined) wellBehaved(turn);
      },
      config: { routes: [one('a'), one('b'), { ...one('main'), name: 'm', shadow }] },
    },
  );
  const { gateway, engines, loaded } = staged;
  await loaded('main');
  const first = postChat(gateway.url, { model: 'a' });
  await until('a is asked for', () => staged.asked.includes('load a'));
  await loaded('a');
  expect((await first).status).toBe(200);
  expect((await postChat(gateway.url, { model: 'm' })).status).toBe(200);
  await until('the copy is there', () => engines['a']?.seen.length === 2);
  return staged;
}

test('a model that has copies alone under way makes room for one that is asked for', async () => {
  const { gateway, asked, engines, loaded, unloaded } = await withCopy(0);
  const reply = postChat(gateway.url, { model: 'b' });
  await until('a makes room', () => asked.includes('unload a'));
  await until('the copy is cut', () => engines['a']?.seen[1]?.cut === true);
  expect(await gateway.metric('berth_gateway_shadow_requests_total', 'outcome="yielded"')).toBe(1);
  await unloaded('a');
  await until('b is asked for', () => asked.includes('load b'));
  await loaded('b');
  expect((await reply).status).toBe(200);
});

test('copies keep no model loaded past its idle time', async () => {
  const { asked, engines } = await withCopy(1000);
  await until('it ends', () => asked.includes('unload a'));
  await until('the copy is cut', () => engines['a']?.seen[1]?.cut === true);
  expect(asked).toEqual(['load a', 'unload a']);
});

test('a copy at an engine that a reload took away hides no request from those who make room', async () => {
  const staged = await withCopy(0);
  const { gateway, asked, engines, loaded, unloaded } = staged;
  const held: Turn[] = [];
  Object.assign(engines, { a: await engine((turn) => void held.push(turn)) });
  await loaded('a');
  const busy = postChat(gateway.url, { model: 'a' });
  await until('the new engine has it', () => held.length === 1);
  const reply = postChat(gateway.url, { model: 'b' });
  await until(
    'b is waited for',
    async () => (await gateway.metric('berth_gateway_queue_depth', 'deployment="b"')) === 1,
  );
  expect(asked).toEqual(['load a']);
  wellBehaved(held[0] as Turn);
  expect((await busy).status).toBe(200);
  await until('a makes room', () => asked.includes('unload a'));
  await unloaded('a');
  await until('b is asked for', () => asked.includes('load b'));
  await loaded('b');
  expect((await reply).status).toBe(200);
});
