import type { ReactNode } from 'react';
import type { Report } from '../../../src/domain/run/report.ts';
import type { Distribution, StageReport } from '../../../src/domain/run/stage-report.ts';
import { reasons } from '../../../src/domain/strategy.ts';
import { figure, milliseconds, percent, unknown } from '../format.ts';

/** All stages side by side: each latency with its sample size, and with a 95 % interval where there is one. */
export function StageTable({ report }: { report: Report }): ReactNode {
  return (
    <section className="card" aria-labelledby="stages">
      <h2 id="stages">Stages</h2>
      <div className="scroll" tabIndex={0} role="region" aria-labelledby="stages">
        <table className="stages">
          <caption className="hidden">Figures of each stage</caption>
          <thead>
            <tr>
              <th scope="col">Stage</th>
              <th scope="col" className="number">
                Requests ok
              </th>
              <th scope="col" className="number">
                Output tokens/s
              </th>
              <th scope="col" className="number">
                Prompt tokens/s
              </th>
              <th scope="col" className="number">
                Speed-up
              </th>
              <th scope="col" className="number">
                TTFT p50
              </th>
              <th scope="col" className="number">
                TTFT p95
              </th>
              <th scope="col" className="number">
                ITL p50
              </th>
              <th scope="col" className="number">
                ITL p95
              </th>
              <th scope="col" className="number">
                E2E p50
              </th>
            </tr>
          </thead>
          <tbody>
            {report.stages.map((stage) => (
              <StageRow key={stage.index} stage={stage} report={report} />
            ))}
          </tbody>
        </table>
      </div>
      <p className="note">
        n is the number of samples; a range in brackets is the 95 % interval. Speed-up and efficiency compare
        output tokens per second with the stage of one stream.
      </p>
    </section>
  );
}

function StageRow({ stage, report }: { stage: StageReport; report: Report }): ReactNode {
  const scaling = report.scaling.find((entry) => entry.stage === stage.index);
  const speed = stage.steady ?? stage.overall;
  const { ok, failed, censored } = stage.requests;
  const lost = [...(failed > 0 ? [`${failed} failed`] : []), ...(censored > 0 ? [`${censored} cut`] : [])];
  return (
    <tr>
      <th scope="row">
        {stage.label}
        {stage.client.limited && <span className="tag">client-limited</span>}
      </th>
      <Cell main={String(ok)} fine={lost} />
      <Cell main={figure(speed?.outputTokensPerSecond)} fine={stage.steady ? [] : ['ramp included']} />
      <Cell main={figure(speed?.promptTokensPerSecond)} />
      <Cell
        main={scaling ? `${figure(scaling.speedup)} ×` : unknown}
        fine={scaling ? [`${percent(scaling.efficiency)} efficient`] : []}
      />
      <Latency of={stage.ttft} at="p50" fine={reasoned(stage, 'p50')} />
      <Latency of={stage.ttft} at="p95" fine={reasoned(stage, 'p95')} />
      <Latency of={stage.itl} at="p50" />
      <Latency of={stage.itl} at="p95" />
      <Latency of={stage.e2e} at="p50" />
    </tr>
  );
}

/** Of answers with reasoning: when the answer proper began. */
function reasoned(stage: StageReport, at: 'p50' | 'p95'): string[] {
  return reasons(stage) && stage.ttfot ? [`after reasoning ${milliseconds(stage.ttfot[at])}`] : [];
}

function Latency({
  of,
  at,
  fine = [],
}: {
  of: Distribution | null;
  at: 'p50' | 'p95';
  fine?: readonly string[];
}): ReactNode {
  if (!of) return <Cell main={unknown} />;
  const range = of.interval[at];
  return (
    <Cell
      main={milliseconds(of[at])}
      fine={[`n ${of.n}`, ...(range ? [`[${figure(range[0])}, ${figure(range[1])}]`] : []), ...fine]}
    />
  );
}

function Cell({ main, fine = [] }: { main: string; fine?: readonly string[] }): ReactNode {
  return (
    <td className="number">
      {main}
      {fine.map((line) => (
        <span className="fine" key={line}>
          {line}
        </span>
      ))}
    </td>
  );
}
