import { BerthError } from '../../domain/errors/berth-error.ts';
import { hideSecret } from '../../domain/secret.ts';
import type { Exchange, TimedClient } from '../../io/timed-request.ts';
import { seededRandom } from '../../stats/random.ts';
import type { Turn } from './compare.ts';

/** One way to the same engine. */
export interface Side {
  readonly name: string;
  readonly url: string;
  readonly model: string;
  readonly key: string | null;
  readonly client: TimedClient;
  /** Processor time of the proxy so far, in µs; null where there is none, or it cannot be read. */
  readonly cpuUs: () => number | null;
}

export interface OverheadOptions {
  readonly pairs: number;
  /** Requests at once within a turn. */
  readonly streams: number;
  readonly tokens: number;
  /** No turn begins after that many milliseconds. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly onProgress: (done: number) => void;
}

export interface Measured {
  readonly turns: ReadonlyMap<Side, readonly Turn[]>;
  /** Of each side's proxy while others had their turn. */
  readonly idle: ReadonlyMap<Side, { readonly cpuUs: number; readonly durationMs: number }>;
}

const warmUps = 3;
const timeoutMs = 120_000;

/**
 * Lets the sides take turns in a new random order each round, so that what changes on the machine meanwhile changes for
 * all. Throws BENCH_TARGET_DOWN when a side does not answer as it should: a comparison with holes is none.
 */
export async function measureOverhead(sides: readonly Side[], options: OverheadOptions): Promise<Measured> {
  const turns = new Map<Side, Turn[]>(sides.map((side) => [side, []]));
  const idle = new Map(sides.map((side) => [side, { cpuUs: 0, durationMs: 0 }]));
  const random = seededRandom(7, sides.length);
  for (let i = 0; i < warmUps; i += 1) for (const side of sides) await takeTurn(side, options);
  const until = options.now() + options.limitMs;
  for (let round = 0; round < options.pairs && options.now() < until; round += 1) {
    for (const side of shuffled(sides, random.below)) {
      const before = sides.map((one) => one.cpuUs());
      const turn = await takeTurn(side, options);
      turns.get(side)?.push(turn);
      sides.forEach((other, i) => {
        const spent = difference(before[i] ?? null, other.cpuUs());
        const account = idle.get(other);
        if (other === side || spent === null || !account) return;
        account.cpuUs += spent;
        account.durationMs += turn.durationMs;
      });
    }
    options.onProgress(round + 1);
  }
  return { turns, idle };
}

async function takeTurn(side: Side, options: OverheadOptions): Promise<Turn> {
  const cpu = side.cpuUs();
  const began = options.now();
  const exchanges = await Promise.all(
    Array.from({ length: options.streams }, () => side.client.send(requestTo(side, options))),
  );
  options.signal.throwIfAborted();
  for (const exchange of exchanges) assertGood(side, exchange);
  return {
    ttftMs: exchanges.map(({ started, body }) => ((body.at[0] ?? started) - started) / 1000),
    events: exchanges.reduce((sum, { body }) => sum + eventsIn(body.bytes), 0),
    durationMs: options.now() - began,
    cpuUs: difference(cpu, side.cpuUs()),
  };
}

function requestTo(side: Side, { tokens, signal }: OverheadOptions): Parameters<TimedClient['send']>[0] {
  const body = {
    model: side.model,
    stream: true,
    max_tokens: tokens,
    temperature: 0,
    messages: [{ role: 'user', content: 'Count from one to one hundred in words.' }],
  };
  return {
    path: '/v1/chat/completions',
    headers: {
      'content-type': 'application/json',
      ...(side.key === null ? {} : { authorization: `Bearer ${side.key}` }),
    },
    body: Buffer.from(JSON.stringify(body)),
    timeoutMs,
    signal,
  };
}

function assertGood({ name, url, key }: Side, { status, fault, body }: Exchange): void {
  if (!fault && status === 200 && body.at.length > 0) return;
  const text = body.bytes.toString('utf8', 0, 300);
  const reason = fault?.message ?? `${name} answered ${status}: ${hideSecret(text, key)}`;
  throw new BerthError('BENCH_TARGET_DOWN', { url, reason });
}

function eventsIn(body: Buffer): number {
  return body.toString('latin1').match(/^data:/gm)?.length ?? 0;
}

function difference(before: number | null, after: number | null): number | null {
  return before === null || after === null ? null : after - before;
}

function shuffled<Item>(items: readonly Item[], below: (n: number) => number): Item[] {
  const list = [...items];
  for (let i = list.length - 1; i > 0; i -= 1) {
    const j = below(i + 1);
    [list[i], list[j]] = [list[j] as Item, list[i] as Item];
  }
  return list;
}
