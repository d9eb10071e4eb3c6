import { crc32, inflateSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bench } from '../../support/bench.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { startScriptedServer, wordsOf } from '../../support/scripted-server.ts';
import type { Body, ScriptedServer } from '../../support/scripted-server.ts';

let place: Place;
let server: ScriptedServer;
beforeEach(async () => {
  place = makePlace();
  server = await startScriptedServer();
});
afterEach(async () => {
  await place.close();
  await server.close();
});

interface Part {
  readonly type: string;
  readonly text?: string;
  readonly image_url?: { readonly url: string };
}

function partsOf(body: Body): Part[] {
  return (body.messages?.[0]?.content ?? []) as Part[];
}

function urlsOf(bodies: readonly Body[]): string[] {
  return bodies.flatMap((body) => partsOf(body).flatMap(({ image_url: image }) => image?.url ?? []));
}

/** A PNG as its specification has it: chunks with right sums, and as many bytes of pixels as its size wants. */
function readPng(url: string): { width: number; height: number; palette: Buffer; rows: Buffer } {
  const bytes = Buffer.from(url.replace('data:image/png;base64,', ''), 'base64');
  expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const named = bytes.subarray(at + 4, at + 8 + length);
    expect(bytes.readUInt32BE(at + 8 + length)).toBe(crc32(named));
    chunks.set(named.toString('latin1', 0, 4), named.subarray(4));
    at += 12 + length;
  }
  expect([...chunks.keys()]).toEqual(['IHDR', 'PLTE', 'IDAT', 'IEND']);
  const head = chunks.get('IHDR') as Buffer;
  expect([...head.subarray(8)]).toEqual([8, 3, 0, 0, 0]);
  return {
    width: head.readUInt32BE(0),
    height: head.readUInt32BE(4),
    palette: chunks.get('PLTE') as Buffer,
    rows: inflateSync(chunks.get('IDAT') as Buffer),
  };
}

const load = ['--max-requests', '4', '--warmup', '0'];

test('each prompt has images of its own in front of its text, the same again for the same seed', async () => {
  const data = 'prompt_tokens=20,output_tokens=3,images={count:2,width:100,height:37}';
  const run = await bench(place, [server.url, '--data', data, ...load]);
  const bodies = server.bodies();
  const urls = urlsOf(bodies);
  expect(new Set(urls).size).toBe(8);
  for (const url of urls) {
    const { width, height, palette, rows } = readPng(url);
    expect([width, height, palette.length, rows.length]).toEqual([100, 37, 768, 37 * 101]);
    expect(new Set(rows).size).toBeGreaterThan(5);
  }
  expect(bodies.map((body) => partsOf(body).map(({ type }) => type))).toEqual(
    bodies.map(() => ['image_url', 'image_url', 'text']),
  );
  // The text is as long as was asked for; how long the whole is, is the server's count alone.
  expect(bodies.map((body) => wordsOf(partsOf(body).at(-1)?.text ?? '').length)).toEqual([17, 17, 17, 17]);
  expect(run.records.map(({ prompt }) => prompt.asked)).toEqual([null, null, null, null]);
  expect(run.report.server.notes.join(' ')).toContain('2 images of 100 × 37 pixels');
  server.seen.length = 0;
  await bench(place, [server.url, '--data', data, ...load]);
  expect(urlsOf(server.bodies())).toEqual(urls);
});

test('an endpoint that takes no images is refused, and responses take them in their own words', async () => {
  for (const endpoint of ['completions', 'embeddings']) {
    const ran = await place.berth('bench', server.url, '--endpoint', endpoint, '--data', 'images=1');
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(`has images, which ${endpoint}`)]);
  }
  expect(server.bodies()).toEqual([]);
  await bench(place, [server.url, '--endpoint', 'responses', '--data', 'prompt_tokens=20,images=1', ...load]);
  const [body] = server.bodies('/v1/responses').slice(-1);
  expect(JSON.stringify(body)).toMatch(/"type":"input_image","image_url":"data:image\/png;base64,/);
});
