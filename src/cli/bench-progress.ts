import type { RunProgress } from '../domain/run-progress.ts';
import { lengthOf, liveLines } from './live-view.ts';
import type { Output } from './output.ts';

const plainPeriodMs = 10_000;

/** Shows a run as it goes on: lines that are written over on a terminal, else plain ones every ten seconds. */
export function showProgress(output: Output): (progress: RunProgress) => void {
  let stage: Extract<RunProgress, { type: 'stage-started' }> | null = null;
  let drawn = 0;
  let shownAt = 0;
  function clear(): void {
    // Back to the first of the lines that were drawn, and all below it away.
    if (drawn > 0) process.stderr.write(`\u001B[${drawn}A\r\u001B[J`);
    drawn = 0;
  }
  function over(lines: readonly string[]): void {
    if (output.terminal) {
      clear();
      const width = process.stderr.columns || 80;
      // A line that wraps would be two, and the next clearing would miss one.
      process.stderr.write(lines.map((line) => `${line.slice(0, width - 1)}\n`).join(''));
      drawn = lines.length;
    } else if (performance.now() - shownAt > plainPeriodMs) {
      shownAt = performance.now();
      output.progress(lines.map((line) => line.trim()).join('; '));
    }
  }
  function line(text: string): void {
    clear();
    output.progress(text);
  }
  return (progress) => {
    switch (progress.type) {
      case 'run-started':
        return line(`Benchmark ${progress.name}: preparing prompts`);
      case 'stage-started':
        stage = progress;
        shownAt = performance.now();
        return line(`${stage.label} for ${lengthOf(stage)}`);
      case 'tick':
        return stage ? over(liveLines(stage, progress)) : undefined;
      case 'stage-ended':
        return line(`${progress.stage.label}: ${progress.stage.requests.ok} requests measured`);
      case 'note':
        return line(progress.text);
      case 'server':
      case 'calibrated':
      case 'run-ended':
    }
  };
}
