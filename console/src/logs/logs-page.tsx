import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { Fault } from '../parts/fault.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { hrefOf } from '../route.ts';
import type { LiveFleet } from '../use-live-fleet.ts';
import { useLoaded } from '../use-loaded.ts';

const periodMs = 2_000;

/** The last lines of a deployment's engines. */
export function LogsPage({ deployment, live }: { deployment: string | null; live: LiveFleet }): ReactNode {
  const names = (live.status?.deployments ?? [])
    .filter((candidate) => candidate.target !== null)
    .map(({ name }) => name);
  const chosen = deployment ?? names[0] ?? null;
  return (
    <div className="logs">
      <PageHead title="Logs" lead="What the engines print, as they print it.">
        {chosen !== null && (
          <>
            <label htmlFor="deployment">Deployment</label>
            <select
              id="deployment"
              value={chosen}
              onChange={(event) => location.replace(hrefOf({ page: 'logs', deployment: event.target.value }))}
            >
              {(names.includes(chosen) ? names : [chosen, ...names]).map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </>
        )}
      </PageHead>
      {chosen === null ? (
        <div className="card empty">
          <h2>No engines, no logs</h2>
          <p>Logs appear here once berth runs an engine of this fleet.</p>
        </div>
      ) : (
        <Log key={chosen} deployment={chosen} />
      )}
    </div>
  );
}

function Log({ deployment }: { deployment: string }): ReactNode {
  const [following, setFollowing] = useState(true);
  const [wanted, setWanted] = useState('');
  const beat = useBeat(following);
  const { value, error } = useLoaded<{ lines: readonly string[] }>(
    `/logs/${encodeURIComponent(deployment)}?lines=1000`,
    beat,
  );
  const lines = (value?.lines ?? []).filter((line) => line.toLowerCase().includes(wanted.toLowerCase()));
  const text = lines.join('\n');
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (following) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [text, following]);
  return (
    <section className="card log" aria-label={`Log of ${deployment}`}>
      <div className="log-bar">
        <label className="hidden" htmlFor="filter">
          Only lines that contain
        </label>
        <input
          id="filter"
          type="search"
          placeholder="Only lines that contain"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
        <label className="check">
          <input
            type="checkbox"
            checked={following}
            onChange={(event) => setFollowing(event.target.checked)}
          />
          Follow
        </label>
      </div>
      {error !== null && <Fault title="The log cannot be read" error={error} />}
      <pre ref={box} tabIndex={0} aria-label="Lines">
        {value && lines.length === 0 ? emptyText(wanted) : text}
      </pre>
    </section>
  );
}

function emptyText(wanted: string): string {
  return wanted === '' ? 'Nothing was printed yet.' : 'No line contains this.';
}

/** Counts up while on and while the tab is seen. */
function useBeat(on: boolean): number {
  const [beat, setBeat] = useState(0);
  useEffect(() => {
    if (!on) return;
    const timer = setInterval(() => {
      if (!document.hidden) setBeat((n) => n + 1);
    }, periodMs);
    return () => clearInterval(timer);
  }, [on]);
  return beat;
}
