import { expect, test } from 'vitest';
import { seededRandom } from '../../src/stats/random.ts';
import type { Random } from '../../src/stats/random.ts';
import { corpus, plain, spices } from './corpus.ts';
import { serveByNode, serveOurs } from './pair.ts';
import type { Served } from './pair.ts';

/** Where we are stricter than Node's server on purpose: the code that the client is told. */
const stricter = [
  'http_version_not_supported',
  'host_missing',
  'host_repeated',
  'transfer_coding_not_supported',
  'malformed_http',
  'expectation_failed',
  'connect_not_supported',
  'websocket_not_supported',
  'headers_too_large',
];
const rounds = 4000;
const withBody = plain.filter((text) => /\r\ncontent-length:\s*[1-9]/i.test(text));

test('the corpus is read as Node reads it, but for what is refused on purpose', async () => {
  const faults = [];
  for (const text of corpus) faults.push(...(await compare(text, [Buffer.from(text, 'latin1')])));
  expect(faults).toEqual([]);
});

test(
  `of ${rounds} mutated requests none is read otherwise than Node reads it`,
  { timeout: 300_000 },
  async () => {
    const random = seededRandom(31);
    const faults: string[] = [];
    let accepted = 0;
    for (let round = 0; round < rounds; round += 1) {
      const text = mutate(random);
      const pieces = split(Buffer.from(text, 'latin1'), random);
      faults.push(...(await compare(text, pieces, (ours) => (accepted += ours.seen.length))));
    }
    expect(faults.slice(0, 5)).toEqual([]);
    // Not all mutations break a request: were most refused, the comparison would say little.
    expect(accepted).toBeGreaterThan(rounds / 2);
  },
);

test(
  `of ${rounds} mutated requests that follow the same ones unhurt none is read otherwise than Node reads it`,
  { timeout: 300_000 },
  async () => {
    const random = seededRandom(32);
    const faults: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      // The second is read by what the first has taught, the third may be.
      const same = withBody[random.below(withBody.length)] ?? '';
      const text = same + same + hurt(same, random);
      faults.push(...(await compare(text, [Buffer.from(text, 'latin1')])));
    }
    expect(faults.slice(0, 5)).toEqual([]);
  },
);

/** What speaks against us; nothing when all is well. */
async function compare(
  text: string,
  pieces: readonly Buffer[],
  onServed: (ours: Served) => void = () => {},
): Promise<string[]> {
  const ours = await serveOurs(pieces);
  const nodes = await serveByNode([Buffer.from(text, 'latin1')]);
  onServed(ours);
  // Of what follows an offer to change the protocol in the same read, Node loses all.
  const offer = ours.seen.findIndex(
    ({ headers }) => /upgrade/i.test(headerOf(headers, 'connection')) && headerOf(headers, 'upgrade') !== '',
  );
  const seen = offer < 0 ? ours.seen : ours.seen.slice(0, offer + 1);
  const { length } = seen;
  const same = JSON.stringify(seen) === JSON.stringify(nodes.seen.slice(0, length));
  const case_ = JSON.stringify(text.slice(0, 400));
  if (!same) return [`${case_}: ${JSON.stringify(seen)}, Node: ${JSON.stringify(nodes.seen)}`];
  const refusal = /"code":"(\w+)"/.exec(ours.written)?.[1] ?? 'none';
  if (offer < 0 && nodes.seen.length > length && !stricter.includes(refusal))
    return [`${case_}: Node reads more, we say ${refusal}: ${JSON.stringify(nodes.seen.slice(length))}`];
  return [];
}

function headerOf(headers: readonly string[], name: string): string {
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name).join();
}

/** One to three requests of the corpus in a row, some of them hurt. */
function mutate(random: Random): string {
  let text = '';
  for (let i = random.below(3); i >= 0; i -= 1) {
    const from = random.below(2) === 0 ? plain : corpus;
    text += from[random.below(from.length)] ?? '';
  }
  for (let i = random.below(3); i > 0; i -= 1) text = hurt(text, random);
  return text;
}

function hurt(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  const spice = spices[random.below(spices.length)] ?? '';
  switch (random.below(5)) {
    case 0:
      return text.slice(0, at) + spice + text.slice(at);
    case 1:
      return text.slice(0, at) + spice + text.slice(at + 1);
    case 2:
      return text.slice(0, at) + text.slice(at + 1 + random.below(4));
    case 3:
      return text.replace('\r\n', spice);
    default: {
      const lines = text.split('\r\n');
      const line = random.below(lines.length);
      lines.splice(random.below(lines.length), 0, lines[line] ?? '');
      return lines.join('\r\n');
    }
  }
}

/** In up to four pieces, so that any token may be cut by a read. */
function split(bytes: Buffer, random: Random): Buffer[] {
  const cuts = Array.from({ length: random.below(4) }, () => random.below(bytes.length)).toSorted(
    (a, b) => a - b,
  );
  const edges = [0, ...cuts, bytes.length];
  return edges.slice(1).flatMap((to, i) => (to > (edges[i] ?? 0) ? [bytes.subarray(edges[i], to)] : []));
}
