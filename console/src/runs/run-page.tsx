import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import type { Report } from '../../../src/domain/run/report.ts';
import { askJson } from '../api.ts';
import { bytes, duration, moment } from '../format.ts';
import { Fault } from '../parts/fault.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { hrefOf } from '../route.ts';
import { useLoaded } from '../use-loaded.ts';
import { RunCharts } from './run-charts.tsx';
import { ServerCharts } from './server-charts.tsx';
import { TimeCharts } from './time-charts.tsx';
import { StageTable } from './stage-table.tsx';

/** One run: its figures with their sample sizes and confidence, charts over the number of streams, and where it was measured. */
export function RunPage({ id }: { id: string }): ReactNode {
  const { value: report, error } = useLoaded<Report>(`/runs/${encodeURIComponent(id)}`);
  return (
    <>
      <nav aria-label="Back" className="back">
        <a href={hrefOf({ page: 'runs' })}>All runs</a>
      </nav>
      <PageHead title={report?.name ?? 'Run'} lead={report ? lead(report) : id}>
        {report && <ReportLink id={id} />}
      </PageHead>
      {error !== null && <Fault title="This run cannot be shown" error={error} />}
      {report && <RunBody report={report} />}
    </>
  );
}

function lead(report: Report): string {
  const took = duration(Date.parse(report.endedAt) - Date.parse(report.startedAt));
  const engine = report.spec.target.engine ?? report.server.server;
  return `${report.server.model}${engine ? ` on ${engine}` : ''} · ${moment(report.startedAt)} · took ${took}`;
}

function RunBody({ report }: { report: Report }): ReactNode {
  return (
    <>
      <Warnings report={report} />
      <RunCharts report={report} />
      <TimeCharts report={report} />
      <ServerCharts report={report} />
      <StageTable report={report} />
      <Circumstances report={report} />
      <Definitions definitions={report.definitions} />
    </>
  );
}

/** Links to a page of its own origin carry a ticket of ten minutes; it is renewed while this page is open. */
function ReportLink({ id }: { id: string }): ReactNode {
  const [path, setPath] = useState<string | null>(null);
  useEffect(() => {
    const leaving = new AbortController();
    function renew(): void {
      askJson<{ path: string }>(`/runs/${encodeURIComponent(id)}/report-link`, {
        method: 'POST',
        signal: leaving.signal,
      }).then(
        (link) => setPath(link.path),
        () => setPath(null),
      );
    }
    renew();
    const timer = setInterval(renew, 5 * 60_000);
    return () => {
      clearInterval(timer);
      leaving.abort();
    };
  }, [id]);
  if (path === null) return null;
  return (
    <a className="button" href={path} target="_blank" rel="noopener">
      Open the full report
    </a>
  );
}

function Warnings({ report }: { report: Report }): ReactNode {
  const lines = [
    ...(report.clientLimited
      ? [
          'The load generator itself was the limit in at least one stage: these are not figures of the server.',
        ]
      : []),
    ...report.warnings,
  ];
  if (lines.length === 0) return null;
  return (
    <div className="notice tone-warn" role="note">
      <strong>Read these figures with care</strong>
      <ul>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </div>
  );
}

function Circumstances({ report }: { report: Report }): ReactNode {
  const { environment, server, spec, calibration } = report;
  const rows: [string, string | null][] = [
    ['Server', server.server],
    ['Address', spec.target.url],
    ['API', `${spec.target.api}, ${spec.stream ? 'streaming' : 'not streaming'}`],
    ['Prompt lengths', server.tokenizer === null ? 'estimated' : `exact, by ${server.tokenizer}`],
    ['Prefix cache', cacheText(spec.cache)],
    ['Client', `berth ${environment.berth}, Node ${environment.node}`],
    ['Machine', `${environment.cpu}, ${environment.cores} cores, ${bytes(environment.memoryBytes)}`],
    ['System', environment.os],
    [
      'Error of the client',
      calibration &&
        `p50 ${calibration.errorP50Ms.toFixed(2)} ms, p99 ${calibration.errorP99Ms.toFixed(2)} ms`,
    ],
  ];
  return (
    <section className="card" aria-labelledby="environment">
      <h2 id="environment">Environment</h2>
      <dl className="facts wide">
        {rows.map(
          ([name, value]) =>
            value !== null && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </section>
  );
}

function Definitions({ definitions }: { definitions: Report['definitions'] }): ReactNode {
  return (
    <details className="card">
      <summary>What the figures mean</summary>
      <dl className="definitions">
        {Object.entries(definitions).map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function cacheText(cache: Report['spec']['cache']): string {
  if (cache === 'cold') return 'not used: every prompt is new';
  return cache === 'warm' ? 'may be used' : `${Math.round(cache.shared * 100)} % of each prompt are the same`;
}
