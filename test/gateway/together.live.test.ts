import { describe, expect, test } from 'vitest';
import type { GatewayCommand } from '../../src/domain/gateway-control.ts';
import { noQuotas } from '../../src/gateway/limits/limits.ts';
import { chatEvent, wellBehaved } from './fake-upstream.ts';
import type { Script, Turn } from './fake-upstream.ts';
import { runProgram } from './gateway-process.ts';
import type { Program } from './gateway-process.ts';
import { configFor, engine, errorOf, postChat, readMetric, until } from './harness.ts';
import { connected, redisServer, store } from './redis.ts';

const long = 600_000;

describe.skipIf(!redisServer.there)(`gateways that share a store (${redisServer.name})`, () => {
  test('hold newcomers together, and let them in again together', async () => {
    const { one, two, upstream } = await gateways(wellBehaved);
    expect(await asked(one, { do: 'hold', deployment: 'd', forMs: long })).toEqual({ left: 0 });
    const replies = [one, two].map(({ url }) => postChat(url));
    for (const { url } of [one, two]) await until('it waits', async () => (await waitingAt(url)) === 1);
    expect(upstream.seen.length).toBe(0);
    expect(await asked(two, { do: 'release', deployment: 'd' })).toEqual({ left: 0 });
    expect((await Promise.all(replies)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test('empty an engine together: it is over when the last stream of all gateways is', async () => {
    const turns: Turn[] = [];
    const { one, two, upstream } = await gateways((turn) => {
      turns.push(turn);
      turn.stream();
      turn.chunk(chatEvent('begun'));
    });
    const stream = await postChat(two.url, { stream: true });
    const drain = { do: 'drain', url: upstream.url, forMs: long } as const;
    expect(await asked(one, { ...drain, graceMs: 0 })).toEqual({ left: 1 });
    for (const { url } of [one, two])
      expect((await errorOf(await postChat(url))).code).toBe('no_healthy_instance');
    let over = false;
    const drained = asked(one, { ...drain, graceMs: long }).finally(() => (over = true));
    // By then the second wish is there: another one that is asked later has been answered.
    expect(await asked(one, { do: 'release', deployment: 'd' })).toEqual({ left: 0 });
    expect(over).toBe(false);
    turns[0]?.chunk(chatEvent('finished'));
    turns[0]?.endChunks();
    expect(await stream.text()).toContain('finished');
    expect(await drained).toEqual({ left: 0 });
    expect(await asked(two, { do: 'resume', url: upstream.url })).toEqual({ left: 0 });
    upstream.setScript(wellBehaved);
    for (const { url } of [one, two]) expect((await postChat(url)).status).toBe(200);
  });

  test('do not wait for one that is gone, and one that comes back obeys what is still in force', async () => {
    const { one, two, three, upstream } = await gateways(wellBehaved);
    three.program.child.kill('SIGKILL');
    two.program.child.kill('SIGSTOP');
    expect(await asked(one, { do: 'hold', deployment: 'd', forMs: long })).toEqual({ left: 0 });
    two.program.child.kill('SIGCONT');
    await until(
      'it is there again',
      async () => (await readMetric(one.url, 'berth_gateway_shared_gateways', '')) === 2,
    );
    // Wishes are obeyed in their order: who has answered this one knows of the one before it.
    expect(await asked(one, { do: 'resume', url: upstream.url })).toEqual({ left: 0 });
    const held = postChat(two.url);
    await until('it waits', async () => (await waitingAt(two.url)) === 1);
    expect(await asked(one, { do: 'release', deployment: 'd' })).toEqual({ left: 0 });
    expect((await held).status).toBe(200);
  });

  test('say so when their store is gone, and each still does itself what it is asked for', async () => {
    const { one, two, redis } = await gateways(wellBehaved);
    redis.kill('SIGKILL');
    for (const { url } of [one, two])
      await until(
        'it is gone',
        async () => (await readMetric(url, 'berth_gateway_shared_limits_up', '')) === 0,
      );
    expect(await asked(one, { do: 'hold', deployment: 'd', forMs: long })).toEqual({
      left: 0,
      untold: expect.stringContaining('the shared store cannot be reached'),
    });
    const held = postChat(one.url);
    await until('it waits', async () => (await waitingAt(one.url)) === 1);
    expect((await postChat(two.url)).status).toBe(200);
    await asked(one, { do: 'release', deployment: 'd' });
    expect((await held).status).toBe(200);
  });

  test('have the control processes of all take in what runs now, and tell who could not', async () => {
    const { one, two } = await gateways(wellBehaved);
    const to = { deployment: 'd', replica: 0, port: 18_400 };
    const shifted = asked(one, { do: 'shift', to });
    const event = await two.program.saw('follow');
    expect(event).toMatchObject({ to });
    await asked(two, { do: 'followed', wish: String(event['wish']), fault: null });
    expect(await shifted).toEqual({ left: 0 });
    const again = asked(one, { do: 'shift', to: null });
    await until(
      'it is asked again',
      () => two.program.events.filter((each) => each['event'] === 'follow').length === 2,
    );
    const { wish } = two.program.events.findLast((each) => each['event'] === 'follow') ?? {};
    await asked(two, { do: 'followed', wish: String(wish), fault: 'its file is broken' });
    expect(await again).toEqual({ left: 0, untold: expect.stringContaining('its file is broken') });
  });
});

function waitingAt(url: string): Promise<number> {
  return readMetric(url, 'berth_gateway_queue_depth', '');
}

interface Member {
  readonly program: Program;
  readonly url: string;
}

/** Three gateways that know of each other, before one engine; the second has a control process that follows others. */
async function gateways(script: Script) {
  const { urlFile, redis } = await store();
  const upstream = await engine(script);
  const config = configFor([{ url: upstream.url }], {
    limits: { queueMs: long },
    quotas: { ...noQuotas, sharedUrlFile: urlFile },
  });
  async function member(...args: string[]): Promise<Member> {
    const program = await runProgram(config, ['--with-parent', ...args]);
    return { program, url: await program.url() };
  }
  const [one, two, three] = await Promise.all([member(), member('--follows'), member()]);
  const urls = [one.url, two.url, three.url];
  await connected(urls);
  for (const url of urls)
    await until('it knows of the others', async () => {
      return (await readMetric(url, 'berth_gateway_shared_gateways', '')) === 3;
    });
  return { one, two, three, upstream, redis };
}

let asks = 0;

/** What the gateway answers to its control process. */
async function asked({ program }: Member, command: GatewayCommand): Promise<unknown> {
  const id = (asks += 1);
  program.child.stdin.write(`${JSON.stringify({ id, command })}\n`);
  let answer: Record<string, unknown> | undefined;
  await until(`"${command.do}" is answered`, () => {
    answer = program.events.find((event) => event['event'] === 'answer' && event['id'] === id);
    return answer !== undefined;
  });
  return answer?.['result'] ?? answer?.['error'];
}
