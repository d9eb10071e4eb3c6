import { formatAge, formatBytes } from '../domain/format.ts';
import type { Output } from './output.ts';

const drawMs = 500;
const plainMs = 10_000;
/** Rates are told over the last of these, so that a pause is seen soon. */
const windowMs = 10_000;

export interface PullProgress {
  readonly onBytes: (done: number, total: number | null) => void;
  readonly onLine: (line: string) => void;
  /** Ends the line that is written over. */
  readonly end: () => void;
}

/** How far a fetch is, with rate and time left: one line that is written over on a terminal, else a line every ten seconds. */
export function showPull(output: Output, now: () => number): PullProgress {
  let samples: { at: number; done: number }[] = [];
  let shownAt = now();
  let drawn = false;
  function end(): void {
    if (drawn) process.stderr.write('\r\u001B[K');
    drawn = false;
  }
  return {
    end,
    onLine: (line) => {
      end();
      output.progress(line);
    },
    onBytes: (done, total) => {
      const at = now();
      // Fewer than before: it was begun anew.
      if (done < (samples.at(-1)?.done ?? 0)) samples = [];
      samples = [...samples.filter((sample) => at - sample.at < windowMs), { at, done }].slice(-200);
      if (at - shownAt < (output.terminal ? drawMs : plainMs)) return;
      shownAt = at;
      const line = progressLine(done, total, rateOf(samples));
      if (!output.terminal) return output.progress(line);
      process.stderr.write(`\r\u001B[K${line.slice(0, (process.stderr.columns || 80) - 1)}`);
      drawn = true;
    },
  };
}

/** Bytes per second; null until two moments are known. */
function rateOf(samples: readonly { at: number; done: number }[]): number | null {
  const [first] = samples;
  const last = samples.at(-1);
  if (!first || !last || last.at - first.at < 200) return null;
  return ((last.done - first.done) / (last.at - first.at)) * 1000;
}

export function progressLine(done: number, total: number | null, rate: number | null): string {
  const of =
    total === null ? '' : ` of ${formatBytes(total)} (${Math.floor((done / Math.max(1, total)) * 100)} %)`;
  const speed = rate === null ? '' : `, ${formatBytes(rate)}/s`;
  const left =
    total === null || rate === null || rate <= 0 ? '' : `, ${formatAge(((total - done) / rate) * 1000)} left`;
  return `${formatBytes(done)}${of}${speed}${left}`;
}
