// Figures of a report worked out again from the raw lines, with arithmetic of their own: nothing of the product is used.

/** The fields of a record that the figures rest on. */
interface Line {
  stage: number;
  phase: string;
  stream: number;
  scheduled: number;
  sent: number;
  firstToken: number | null;
  gaps: number[];
  done: number;
  outcome: string;
  prompt: { tokens: number };
  output: { tokens: number };
}

export interface Recomputed {
  ok: number;
  failed: number;
  ttftP50: number;
  ttftP95: number;
  itlP50: number;
  itlP99: number;
  e2eP50: number;
  outputRate: number;
  promptRate: number;
  promptSum: number;
  outputSum: number;
}

export function recompute(text: string, stage: number, seconds: number | null): Recomputed {
  const all = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
    .filter((line) => line.stage === stage);
  const measured = all.filter((line) => line.phase === 'measured');
  const ok = measured.filter((line) => line.outcome === 'ok');
  const [start, end] = windowOf(all, seconds);
  let output = 0;
  let prompt = 0;
  for (const line of all) {
    if (line.outcome !== 'ok') continue;
    const times = [line.firstToken as number];
    for (const gap of line.gaps) times.push((times.at(-1) as number) + gap);
    output += (times.filter((at) => at > start && at <= end).length / times.length) * line.output.tokens;
    if ((times[0] as number) > start && (times[0] as number) <= end) prompt += line.prompt.tokens;
  }
  const length = (end - start) / 1_000_000;
  return {
    ok: ok.length,
    failed: measured.filter((line) => line.outcome !== 'ok' && line.outcome !== 'censored').length,
    ttftP50:
      rank(
        ok.map((line) => (line.firstToken as number) - line.sent),
        50,
      ) / 1000,
    ttftP95:
      rank(
        ok.map((line) => (line.firstToken as number) - line.sent),
        95,
      ) / 1000,
    itlP50:
      rank(
        ok.flatMap((line) => line.gaps),
        50,
      ) / 1000,
    itlP99:
      rank(
        ok.flatMap((line) => line.gaps),
        99,
      ) / 1000,
    e2eP50:
      rank(
        ok.map((line) => lastTime(line) - line.sent),
        50,
      ) / 1000,
    outputRate: output / length,
    promptRate: prompt / length,
    promptSum: all.reduce((sum, line) => sum + line.prompt.tokens, 0),
    outputSum: all.reduce((sum, line) => sum + line.output.tokens, 0),
  };
}

function lastTime(line: Line): number {
  return line.gaps.reduce((at, gap) => at + gap, line.firstToken ?? 0);
}

/** From the first measured request, all streams busy, to the limit or to the end of the first stream's last answer. */
function windowOf(all: Line[], seconds: number | null): [number, number] {
  const streams = [...new Set(all.map((line) => line.stream))];
  const due = Math.min(...all.filter((line) => line.phase === 'measured').map((line) => line.scheduled));
  const busy = streams.map((stream) =>
    Math.min(...all.filter((line) => line.stream === stream).map((line) => line.sent)),
  );
  const idle = streams.map((stream) =>
    Math.max(...all.filter((line) => line.stream === stream).map((line) => line.done)),
  );
  const limit = seconds === null ? [] : [due + seconds * 1_000_000];
  return [Math.max(due, ...busy), Math.min(...limit, ...idle)];
}

/** Linear interpolation between the closest ranks. */
function rank(values: number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = ((sorted.length - 1) * percent) / 100;
  const under = Math.floor(place);
  const low = sorted[under] as number;
  return low + ((sorted[Math.min(under + 1, sorted.length - 1)] as number) - low) * (place - under);
}
