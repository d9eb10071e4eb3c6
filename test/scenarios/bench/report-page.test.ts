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
