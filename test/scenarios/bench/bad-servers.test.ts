import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RequestRecord } from '../../../src/domain/run/record.ts';
import { Report } from '../../../src/domain/run/report.ts';
import type { StageReport } from '../../../src/domain/run/stage-report.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { event, goodAnswer, startScriptedEngine } from '../../support/scripted-engine.ts';
import type { Asked, Script, ScriptedEngine } from '../../support/scripted-engine.ts';

let place: Place;
let engine: ScriptedEngine;
beforeEach(() => (place = makePlace()));
afterEach(async () => {
  await engine.close();
  await place.close();
});

type Reply = Parameters<NonNullable<Script['answer']>>[0];

interface Ended {
  readonly code: number | null;
  readonly report: Report;
  readonly stage: StageReport;
  readonly records: RequestRecord[];
}

/** A run of a server that is good for the preflight and twenty answers, and then does something else. */
async function bench(then: (reply: Reply, asked: Asked) => void, ...args: string[]): Promise<Ended> {
  engine = await startScriptedEngine({
    answer: (reply, asked) => (asked.number <= 22 ? goodAnswer(reply, asked) : then(reply, asked)),
  });
  const load = ['--prompt-tokens', '10', '--output-tokens', '4', '--no-calibrate', '--warmup', '0'];
  const ran = await place.berth('bench', engine.url, ...load, '--name', 'run', '--json', ...args);
  const report = Report.parse(JSON.parse((await place.berth('report', 'last', '--json')).stdout));
  const folder = join(place.folder, 'state/data/runs', report.id);
  // The report is the one that the run wrote, not one that is made of what a broken run left.
  expect(Report.parse(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')))).toEqual(report);
  const lines = readFileSync(join(folder, 'records.jsonl'), 'utf8').trim().split('\n');
  const records = lines.map((line) => RequestRecord.parse(JSON.parse(line)));
  const stage = report.stages.at(-1) as StageReport;
  // All that was measured is in the report.
  const measured = records.filter((one) => one.phase === 'measured' && one.stage === stage.index);
  expect(stage.requests.measured).toBe(measured.length);
  expect(stage.requests.ok).toBe(measured.filter(({ outcome }) => outcome === 'ok').length);
  expect(stage.requests.ok).toBeGreaterThanOrEqual(15);
  expect(stage.ttft?.n).toBe(stage.requests.ok);
  return { code: ran.code, report, stage, records };
}

test('a server that dies in the middle ends the run with code 6, and what it had answered is reported', async () => {
  const { code, stage, report } = await bench(() => engine.die(), '--streams', '2,4', '--max-seconds', '60');
  expect(code).toBe(6);
  expect(report.stages).toHaveLength(1);
  expect(stage.stopped).toBe('unreachable');
  expect(report.warnings.join(' ')).toContain('twenty requests in a row failed');
  expect(stage.errors.map(({ outcome }) => outcome)).toContain('connect');
  expect(report.unfinished).toBe(true);
});

test('what a server answered before it died is no start-up', async () => {
  const { stage, report } = await bench(
    (reply, asked) => (asked.number <= 400 ? goodAnswer(reply, asked) : engine.die()),
    '--streams',
    '2',
    '--max-seconds',
    '60',
  );
  expect(stage.stopped).toBe('unreachable');
  expect(stage.requests.ok).toBeGreaterThan(300);
  expect(stage.settled).toBeNull();
  expect(report.warnings.join(' ')).not.toContain('start-up');
});

test('a server that stalls is left at the end of the drain: its open answers are censored, and the code is 6', async () => {
  const { code, stage } = await bench(
    (reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.write(event({ choices: [{ delta: { content: 'last ' } }] }));
    },
    '--streams',
    '3',
    '--max-seconds',
    '2',
    '--drain',
    '3',
  );
  expect(code).toBe(6);
  expect(stage).toMatchObject({ stopped: 'silent', requests: { censored: 3, failed: 0 } });
});

test('a server that stalls is given up by the time limit of a request where the run counts requests', async () => {
  const { code, stage } = await bench(() => {}, '--streams', '10', '--max-requests', '500', '--timeout', '1');
  expect(code).toBe(6);
  expect(stage.stopped).toBe('unreachable');
  expect(stage.errors[0]?.outcome).toBe('timeout');
  expect(stage.requests.failed).toBeLessThan(60);
});

test('a server that floods is cut off before it takes the memory of this machine, and the run goes on to its end', async () => {
  const part = event({ choices: [{ delta: { content: 'x'.repeat(100_000) } }] });
  let open = 0;
  const { code, stage } = await bench(
    (reply, asked) => {
      if (asked.number > 25) return goodAnswer(reply, asked);
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      open += 1;
      reply.on('close', () => (open -= 1));
      function more(): void {
        while (!reply.destroyed && reply.write(part)) continue;
        if (!reply.destroyed) reply.once('drain', more);
      }
      more();
    },
    '--max-requests',
    '40',
  );
  expect([0, 5]).toContain(code);
  expect(stage.errors).toMatchObject([
    { outcome: 'malformed', example: 'The answer is longer than 16 MiB.' },
  ]);
  expect(stage.requests).toMatchObject({ ok: 37, failed: 3 });
  expect(open).toBe(0);
});

test.each([
  [
    'a page instead of a stream',
    (reply: Reply) => void reply.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hi</h1>'),
  ],
  ['no HTTP at all', (reply: Reply) => void reply.socket?.end('what?\r\n\r\n')],
  [
    'events that are no JSON',
    (reply: Reply) =>
      void reply.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: {never\n\n'),
  ],
])(
  'a server that answers %s ends the run with code 6, and nothing of it is a latency',
  async (_, nonsense) => {
    const { code, stage } = await bench(nonsense, '--streams', '2', '--max-seconds', '60');
    expect(code).toBe(6);
    expect(stage.stopped).toBe('unreachable');
    expect(stage.errors.map(({ outcome }) => outcome)).not.toContain('connect');
  },
);

test('more failures than the limit on errors are exit code 3, and so is too large a share of them', async () => {
  function halfRefused(reply: Reply, asked: Asked): void {
    if (asked.number % 2 === 0) return goodAnswer(reply, asked);
    reply.writeHead(503).end('{}');
  }
  const counted = await bench(halfRefused, '--max-requests', '500', '--max-errors', '5');
  expect(counted).toMatchObject({ code: 3, stage: { stopped: 'errors' } });
  await engine.close();
  const share = await bench(halfRefused, '--max-requests', '500', '--max-error-rate', '0.3');
  expect(share).toMatchObject({ code: 3, stage: { stopped: 'error-rate' } });
});

test('an open loop past what the server can do is stopped by its rising queue, with code 3', async () => {
  let free = 0;
  const { code, stage } = await bench(
    (reply, asked) => {
      // One at a time, each for 40 ms: 25 a second is all that it can do.
      const now = Date.now();
      free = Math.max(now, free) + 40;
      setTimeout(() => goodAnswer(reply, asked), free - now);
    },
    '--profile',
    'constant',
    '--rate',
    '60',
    '--max-seconds',
    '100',
    '--stop-over-saturated',
    '4',
  );
  // A machine that is busy with other work limits the client, and that is told before the rest.
  expect([3, 5]).toContain(code);
  expect(stage.stopped).toBe('over-saturated');
  expect(stage.requests.measured).toBeLessThan(3000);
});

test('a sweep goes on below a load at which its stage was stopped by the rising queue', async () => {
  let free = 0;
  const { code, report } = await bench(
    (reply, asked) => {
      const now = Date.now();
      free = Math.max(now, free) + 40;
      setTimeout(() => goodAnswer(reply, asked), free - now);
    },
    '--profile',
    'kind=sweep,arrivals=constant,from=60,to=60,factor=3,precision=1,points=0,repeats=0,keep=["ttft.p95 < 60000"]',
    '--max-seconds',
    '8',
    '--stop-over-saturated',
    '4',
  );
  expect([0, 3, 5]).toContain(code);
  expect(report.unfinished).toBe(false);
  expect(report.stages[0]?.stopped).toBe('over-saturated');
  expect(report.stages.length).toBeGreaterThan(1);
  expect(report.knee?.levels.at(-1)).toMatchObject({ level: 60, kept: false });
  expect(report.knee?.levels.at(-1)?.reasons.join(' ')).toMatch(/TTFT grew|client was the limit/);
  expect(report.warnings.join(' ')).toContain(
    '60 req/s: ended before its limit: the server does not keep up',
  );
});

test('a budget ends the run when it is spent, which is no failure', async () => {
  const { code, report, records } = await bench(
    goodAnswer,
    '--max-requests',
    '5000',
    '--budget-tokens',
    '800',
  );
  expect([0, 5]).toContain(code);
  expect(report.stages[0]?.stopped).toBe('budget');
  // Each answer is 16 tokens by its usage.
  expect(records.length).toBeGreaterThanOrEqual(50);
  expect(records.length).toBeLessThan(60);
  expect(report.spent).toMatchObject({ money: null });
  const sum = (report.spent?.promptTokens ?? 0) + (report.spent?.outputTokens ?? 0);
  expect(sum).toBe(
    records.reduce((all, { prompt, output }) => all + (prompt.tokens ?? 0) + (output.tokens ?? 0), 0),
  );
  const refused = await place.berth('bench', engine.url, '--budget-money', '5');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('price of an hour');
});

test('a budget of money counts tokens by their prices, and the report says what was spent', async () => {
  const prices = ['--price-tokens', '1000000,2000000', '--price-hour', '0.001'];
  const { code, report } = await bench(
    goodAnswer,
    '--max-requests',
    '5000',
    '--budget-money',
    '1000',
    ...prices,
  );
  expect([0, 5]).toContain(code);
  expect(report.stages[0]?.stopped).toBe('budget');
  const { promptTokens = 0, outputTokens = 0, seconds = 0, money = 0 } = report.spent ?? {};
  expect(money).toBeCloseTo(promptTokens + 2 * outputTokens + (seconds / 3600) * 0.001, 6);
  expect(money).toBeGreaterThanOrEqual(1000);
  expect(money).toBeLessThan(1200);
  expect((await place.berth('report', 'last')).stdout).toMatch(/Spent: 1\d{3}\.\d+ by the prices given/);
  const wrong = await place.berth('bench', engine.url, '--price-tokens', '3');
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('two prices')]);
});
