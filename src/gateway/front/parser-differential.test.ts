import { expect, test } from 'vitest';
import { ApiError } from '../../domain/openai.ts';
import { seededRandom } from '../../stats/random.ts';
import { scanBody, scanFormBody, spliceBody } from './request-body.ts';
import type { ScannedBody } from './request-body.ts';
import { ScanFault } from './scan.ts';

/**
 * Rule 17, by thousands of damaged bodies: whatever the gateway accepts, a parser of the standard reads the same model in
 * it, before and after the name is exchanged. What the gateway refuses, no engine ever sees.
 */

const { next: random } = seededRandom(17);

function pick<T>(from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

/** A few bytes changed, dropped, doubled or moved, mostly to what means something in these formats. */
function damaged(body: Buffer, meaningful: readonly string[]): Buffer {
  let bytes = body;
  for (let i = 1 + Math.floor(random() * 3); i > 0; i -= 1) {
    const at = Math.floor(random() * (bytes.length + 1));
    const end = Math.min(bytes.length, at + Math.floor(random() * 12));
    const middle = pick<Buffer>([
      Buffer.from(pick(meaningful)),
      Buffer.from([Math.floor(random() * 256)]),
      Buffer.alloc(0),
      Buffer.concat([bytes.subarray(at, end), bytes.subarray(at, end)]),
    ]);
    bytes = Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(pick([at, end]))]);
  }
  return bytes;
}

/** What the gateway reads; null when it refuses. */
function accepted<T>(scan: () => T): T | null {
  try {
    return scan();
  } catch (error) {
    if (error instanceof ScanFault || error instanceof ApiError) return null;
    throw error;
  }
}

const rounds = 10_000;

test('a JSON body that is accepted names the same model to a JSON parser', () => {
  const meaningful = [
    '"model":"x",',
    '"Model":"x",',
    '\\u0065',
    '\\',
    '"',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '\ufeff',
    ' ',
  ];
  const bodies = [
    '{"model":"m","messages":[{"role":"user","content":"\\"model\\":\\"x\\""}],"stream":true}',
    '{"stream_options":{"include_usage":false},"stream":true,"tools":[{"model":"x"}],"model" : "m"}',
    '{"mod\\u0065l":"\\u006d","a":{"model":"x"},"stream":false}',
  ];
  let taken = 0;
  for (let i = 0; i < rounds; i += 1) {
    const bytes = damaged(Buffer.from(pick(bodies)), meaningful);
    const body = accepted(() =>
      scanBody(bytes, { usage: true, maxTokens: false, fallbacks: false, dialect: 'openai' }),
    );
    const parsed = parseJson(bytes);
    // What is broken deeper down the engine refuses.
    if (!body || !parsed) continue;
    taken += 1;
    expect([bytes.toString(), body.model]).toEqual([bytes.toString(), parsed['model'] ?? null]);
    if (body.model === null) continue;
    const spliced = parseJson(sent(body));
    const usage = body.stream
      ? { stream_options: { ...objectAt(parsed, 'stream_options'), include_usage: true } }
      : {};
    expect(spliced).toEqual({ ...parsed, model: 'other', ...(body.usageSplice ? usage : {}) });
  }
  expect(taken).toBeGreaterThan(rounds / 40);
});

function parseJson(bytes: Buffer): Record<string, unknown> | null {
  try {
    return JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
  } catch {
    return null;
  }
}

function objectAt(value: Record<string, unknown>, key: string): object {
  const inner = value[key];
  return typeof inner === 'object' && inner !== null ? inner : {};
}

const boundary = 'b-1';
const type = `multipart/form-data; boundary=${boundary}`;

test('a form that is accepted names the same model to a parser of forms', async () => {
  const model = `--${boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n`;
  const file = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a\\"b.wav"\r\nContent-Type: audio/wav\r\n\r\n\u0000name="model"\r\n\r\nx\r\n`;
  const end = `--${boundary}--\r\n`;
  const meaningful = [
    model,
    file,
    end,
    `--${boundary}`,
    `\r\n--${boundary}`,
    '\r\n',
    '\r\n\r\n',
    '\r',
    '\n',
    '"',
    '; name="model"',
    '; name="x"',
    "; name*=utf-8''model",
    '--',
    '\\',
    'MODEL',
    ' ',
  ];
  let taken = 0;
  for (let i = 0; i < rounds; i += 1) {
    const bytes = damaged(
      Buffer.from(pick([model + file + end, file + model + end, model + end])),
      meaningful,
    );
    const body = accepted(() => scanFormBody(bytes, type));
    const form = body && (await parseForm(bytes));
    if (!body || !form) continue;
    taken += 1;
    expect([bytes.toString(), form.getAll('model')]).toEqual([
      bytes.toString(),
      body.model === null ? [] : [body.model],
    ]);
    if (body.model === null) continue;
    const spliced = await parseForm(sent(body));
    expect(spliced?.getAll('model')).toEqual(['other']);
    expect([...(spliced?.keys() ?? [])]).toEqual([...form.keys()]);
  }
  expect(taken).toBeGreaterThan(rounds / 40);
});

/** What an engine that calls the model "other" is sent. */
function sent(body: ScannedBody): Buffer {
  const parts = spliceBody(body, { model: 'other' });
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
}

/** By Node's own parser; null when it refuses. */
async function parseForm(bytes: Buffer): Promise<FormData | null> {
  try {
    return await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData();
  } catch {
    return null;
  }
}
