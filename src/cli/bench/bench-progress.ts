import type { RunProgress } from '../../domain/run-progress.ts';
import { lengthOf, liveLines } from '../live-view.ts';
import type { Output } from '../output.ts';
import { createRedraw } from '../redraw.ts';

const plainPeriodMs = 10_000;

/** Shows a run as it goes on: lines that are written over on a terminal, else plain ones every ten seconds. */
export function showProgress(output: Output): (progress: RunProgress) => void {
  let stage: Extract<RunProgress, { type: 'stage-started' }> | null = null;
  let shownAt = 0;
  const { draw, clear } = createRedraw(process.stderr);
  function over(lines: readonly string[]): void {
    if (output.terminal) {
      draw(lines);
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
