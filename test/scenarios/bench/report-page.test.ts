import { expect, test } from 'vitest';
import { html } from '../../../src/publish/html/publisher.ts';
import { exampleReport } from '../../support/example-report.ts';

async function page(report: ReturnType<typeof exampleReport>): Promise<string> {
  return (await html.render(report, () => Promise.resolve([]))) as string;
}

test('the page of an open loop shows latencies from when requests were due, goodput and what was dropped', async () => {
  const report = exampleReport();
  const [stage] = report.stages;
  if (!stage) throw new Error('the example has no stage');
  const closed = await page(report);
  expect(closed).not.toContain('TTFT from due');
  expect(closed).toContain('<h2>Thresholds</h2>');
  expect(closed).toContain('<td>80 %</td>');
  const open = await page({
    ...report,
    stages: [
      {
        ...stage,
        strategy: {
          kind: 'open',
          arrivals: { process: 'constant' },
          rate: [{ from: 5, to: 5, seconds: null }],
          maxInFlight: 8,
        },
        openLoop: { dropped: 37, scheduledPerSecond: 5, startedPerSecond: 4 },
      },
    ],
  });
  expect(open).toContain('<td>TTFT from due</td>');
  expect(open).toContain('<td>E2E from due</td>');
  expect(open).toContain('<td>37</td>');
});

test('the page draws the run over its time, a part a stage, and says when not every request was looked at', async () => {
  const report = exampleReport();
  const drawn = await page(report);
  const section = /<h2>Over time<\/h2>[\s\S]*?(?=<h2>On the server)/.exec(drawn)?.[0] ?? '';
  for (const title of ['First tokens, ms', 'Gaps between tokens, ms', 'Output, tok/s', 'Requests in flight'])
    expect(section).toContain(`<figcaption>${title}`);
  // Three stages, each a line of its own for p50; p95 is not known in the middle of each.
  const [first = ''] = section.split('Gaps between tokens');
  expect(first.match(/<polyline class="line line0"/g)).toHaveLength(3);
  expect(section).not.toContain('looked at');
  const sampled = report.stages.map((stage) => ({
    ...stage,
    series: stage.series && { ...stage.series, every: 4 },
  }));
  expect(await page({ ...report, stages: sampled })).toContain('Each 4th request was looked at.');
  const none = report.stages.map((stage) => ({ ...stage, series: null }));
  expect(await page({ ...report, stages: none })).not.toContain('Over time');
});
