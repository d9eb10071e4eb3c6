import { expect, test } from 'vitest';
import { noQuotas } from '../../../src/gateway/limits/limits.ts';
import { chat, dial, sha256, start, until } from '../harness.ts';
import type { RunningGateway } from '../harness.ts';
import type { FakeUpstream } from '../fake-upstream.ts';

const keys = [{ id: 'guest', name: 'guest', sha256: sha256('guest'), models: ['m'] }];

/** A JSON object that a server finds another model in which takes it for a form. */
const both = '{"model":"m","x":"&model=dear&prompt=hello&"}';

function request(path: string, body: string, types: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer guest\r\n${types}Content-Length: ${body.length}\r\n\r\n${body}`;
}

async function typesSeen(
  { upstream, gateway }: { upstream: FakeUpstream; gateway: RunningGateway },
  lines: string,
): Promise<string | undefined> {
  const before = upstream.seen.length;
  const wire = await dial(gateway.port, request('/v1/completions', both, lines));
  await until('the reply is there', () => wire.text().includes('200'));
  wire.socket.destroy();
  return upstream.seen[before]?.headers['content-type'];
}

test.each([
  ['a form', 'Content-Type: application/x-www-form-urlencoded\r\n'],
  ['a form of parts', 'Content-Type: multipart/form-data; boundary=x\r\n'],
  [
    'JSON and a form',
    'Content-Type: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\n',
  ],
  ['JSON, with a form behind', 'Content-Type: application/json; multipart/form-data; boundary=x\r\n'],
  ['plain text', 'Content-Type: text/plain\r\n'],
  ['nothing', ''],
])(
  'rule 17: a body that was read as JSON is that to its engine, too, where it is called %s',
  async (_, lines) => {
    const place = await start((turn) => turn.json(200, {}), { keys });
    expect(await typesSeen(place, lines)).toBe('application/json');
  },
);

test('rule 17: what says that it is JSON goes on as it was said', async () => {
  const place = await start((turn) => turn.json(200, {}), { keys });
  const said = 'application/json; charset=UTF-8';
  expect(await typesSeen(place, `Content-Type: ${said}\r\n`)).toBe(said);
});

test('rule 17: a key with models does not get past them by a form that names others for fallbacks', async () => {
  const { upstream, gateway } = await start((turn) => turn.json(200, {}), { keys });
  async function ask(...fields: readonly string[]): Promise<number> {
    const form = new FormData();
    form.set('model', 'm');
    for (const field of fields) form.set(field, 'dear');
    form.set('file', new Blob(['x']));
    const reply = await fetch(`${gateway.url}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { authorization: 'Bearer guest' },
      body: form,
    });
    return reply.status;
  }
  for (const field of ['fallbacks', 'fallbacks[]', 'models[0]', 'Fallbacks[]'])
    expect([field, await ask(field)]).toEqual([field, 400]);
  expect(upstream.seen).toEqual([]);
  expect(await ask('prompt', 'timestamp_granularities[]')).toBe(200);
});

test('rule 17: below /upstream/, what a server may read as a form names no model past the one that is judged', async () => {
  const quotas = { ...noQuotas, models: { dear: { rpm: 1 } } };
  const free = { id: 'guest', name: 'guest', sha256: sha256('guest') };
  const { upstream, gateway } = await start((turn) => turn.json(200, {}), { keys: [free], quotas });
  async function ask(body: string, types: string): Promise<string> {
    const wire = await dial(gateway.port, request('/upstream/m/v1/completions', body, types));
    await until('the reply is there', () => /\r\n\r\n[^]/.test(wire.text()));
    wire.socket.destroy();
    return wire.text().slice(9, 12);
  }
  const form = 'Content-Type: application/x-www-form-urlencoded\r\n';
  expect(await ask(both, form)).toBe('400');
  expect(await ask('{"x":";fallbacks[]=dear"}', form)).toBe('400');
  expect(await ask(chat(), `Content-Type: application/json\r\n${form}`)).toBe('400');
  expect(await ask(`{"x":"${'a&'.repeat(40_000)}"}`, form)).toBe('400');
  expect(upstream.seen).toEqual([]);
  // So does curl -d call what is JSON alone.
  expect(await ask(chat(), form)).toBe('200');
});
