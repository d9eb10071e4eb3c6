import { expect, test } from 'vitest';
import { wellBehaved } from '../fake-upstream.ts';
import { chat, configFor, dial, engine, front, post, postChat, until } from '../harness.ts';

test('rule 2: clients that leave are counted apart, trip no breaker, and are not tried elsewhere', async () => {
  const engines = await Promise.all([engine((turn) => turn.closed), engine((turn) => turn.closed)]);
  const gateway = await front(configFor(engines.map(({ url }) => ({ url }))));
  for (let i = 1; i <= 12; i += 1) {
    const wire = await dial(gateway.port, post('/v1/chat/completions', chat({ stream: true })));
    await until('an engine has it', () => engines[0].seen.length + engines[1].seen.length === i);
    wire.socket.destroy();
    await until(
      'it is counted',
      async () => (await gateway.metric('berth_gateway_requests_total', 'status="499"')) === i,
    );
  }
  expect(await gateway.metric('berth_gateway_requests_total')).toBe(12);
  expect(await gateway.metric('berth_gateway_breaker_state')).toBe(0);
  expect(await gateway.metric('berth_gateway_retries_total')).toBe(0);
  for (const one of engines) one.setScript(wellBehaved);
  expect((await postChat(gateway.url)).status).toBe(200);
});
