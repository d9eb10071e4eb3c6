import type { RunProgress } from '../domain/run-progress.ts';
import type { Output } from './output.ts';

/** Shows a run as it goes on: one line that is written over on a terminal, else a line every ten seconds. */
export function showProgress(output: Output): (progress: RunProgress) => void {
  let label = '';
  let length = '';
  let shownAt = 0;
  function over(line: string): void {
    if (output.terminal) process.stderr.write(`\r\u001B[K${line}`);
    else if (performance.now() - shownAt > 10_000) {
      shownAt = performance.now();
      output.progress(line);
    }
  }
  function line(text: string): void {
    if (output.terminal) process.stderr.write('\r\u001B[K');
    output.progress(text);
  }
  return (progress) => {
    switch (progress.type) {
      case 'run-started':
        return line(`Benchmark ${progress.name}: preparing prompts`);
      case 'stage-started':
        label = progress.label;
        length = [
          ...(progress.seconds === null ? [] : [`${progress.seconds} s`]),
          ...(progress.requests === null ? [] : [`${progress.requests} requests`]),
        ].join(' or ');
        shownAt = performance.now();
        return line(`${label} for ${length}`);
      case 'tick':
        return over(
          `${label}: ${progress.phase === 'measured' ? 'measuring' : progress.phase} ` +
            `${progress.elapsedSeconds.toFixed(0)} s of ${length}, ${progress.done} done, ` +
            `${progress.failed} failed, about ${progress.eventsPerSecond.toFixed(0)} tokens/s`,
        );
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
