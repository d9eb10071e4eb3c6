import { expect, test } from 'vitest';
import { ScanFault, scanObject } from './scan.ts';
import { scanBody } from './request-body.ts';

const wanted = ['model', 'stream'];

function scan(text: string): Record<string, string> {
  const bytes = Buffer.from(text);
  const found = scanObject(bytes, wanted);
  return Object.fromEntries(
    [...found].map(([key, { start, end }]) => [key, bytes.toString('utf8', start, end)]),
  );
}

test('values of wanted top-level keys are found wherever they stand', () => {
  expect(scan('{"model":"a"}')).toEqual({ model: '"a"' });
  expect(scan(' { "x" : [1,{"model":"no"}] ,\n"stream" : true , "model" : "a\\"b" } ')).toEqual({
    model: '"a\\"b"',
    stream: 'true',
  });
  expect(scan('{}')).toEqual({});
});

test.each([63, 64, 65, 66, 200, 5000])(
  'a string of %i characters with escapes near its end is skipped whole',
  (length) => {
    for (const tail of ['', '\\"', '\\\\', '\\\\\\"', '\\u0022'])
      expect(scan(`{"x":"${'y'.repeat(length)}${tail}","model":"a"}`)).toEqual({ model: '"a"' });
  },
);

/** A small generator with a seed, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

function anyValue(next: () => number, depth: number): unknown {
  const pick = Math.floor(next() * (depth > 3 ? 5 : 7));
  switch (pick) {
    case 0:
      return next() * 1e9;
    case 1:
      return next() < 0.5;
    case 2:
      return null;
    case 3:
    case 4:
      return Array.from({ length: Math.floor(next() * 90) }, () =>
        '"\\{}[],:aä😀\n'.charAt(Math.floor(next() * 14)),
      ).join('');
    case 5:
      return Array.from({ length: Math.floor(next() * 4) }, () => anyValue(next, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: Math.floor(next() * 4) }, (_, i) => [
          next() < 0.3 ? 'model' : `k${i}"\\`,
          anyValue(next, depth + 1),
        ]),
      );
  }
}

test('the scan agrees with JSON.parse on any object, and refuses every cut of it', () => {
  for (let seed = 1; seed < 400; seed += 1) {
    const next = random(seed);
    const value = Object.fromEntries(
      Array.from({ length: 5 }, (_, i) => [next() < 0.3 ? 'model' : `k${i}`, anyValue(next, 0)]),
    );
    const text = JSON.stringify(value, null, next() < 0.5 ? 1 : 0);
    const found = scan(text);
    expect(found['model'] === undefined ? undefined : JSON.parse(found['model'])).toEqual(value['model']);
    const cut = text.slice(0, Math.floor(next() * text.length));
    expect(() => scan(cut), `seed ${seed}`).toThrow(ScanFault);
  }
});

test('numbers as Python writes them are for the engine to judge, and never a model or a stream', () => {
  const body = Buffer.from('{"temperature":NaN,"top_p":-Infinity,"max_tokens":Infinity,"model":"m"}');
  const scanned = scanBody(body, { usage: true, maxTokens: true, fallbacks: false, dialect: 'openai' });
  expect([scanned.model, scanned.stream, scanned.maxTokens]).toEqual(['m', false, null]);
  for (const bad of [
    '{"model":NaN}',
    '{"model":"m","stream":NaN}',
    '{"model":"m","a":-NaN}',
    '{"model":"m","a":Nope}',
  ])
    expect(
      () => scanBody(Buffer.from(bad), { usage: true, maxTokens: true, fallbacks: false, dialect: 'openai' }),
      bad,
    ).toThrow(/JSON|"model"|"stream"/);
});
