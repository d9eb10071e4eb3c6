import { calendarLines } from '../domain/cron.ts';
import { escapeText, quoteWord, writeUnit } from '../targets/systemd/unit-text.ts';
import type { RenderedBenchmark, RenderedFile } from './contract.ts';

const comment = 'Written by berth.';

/** A benchmark that a machine runs by itself: a timer, and the service that it starts. `folder`: of units. `config`: where the fleet file lies. Pure. */
export function timerOf(
  fleet: string,
  { name, schedule }: Pick<RenderedBenchmark, 'name' | 'schedule'>,
  { folder, config }: { folder: string; config: string },
): { timer: string; files: RenderedFile[]; needs: string[] } {
  const unit = `berth-bench-${fleet}-${name}`;
  const file = `${config}/${fleet}.yaml`;
  const description = escapeText(`Benchmark ${name} of fleet ${fleet} (by berth)`);
  const service = writeUnit(
    [
      ['Unit', [['Description', description]]],
      [
        'Service',
        [
          ['Type', 'oneshot'],
          ['ExecStart', ['berth', 'bench', name, '--file', file].map(quoteWord).join(' ')],
          // What it found is in the run: a missed objective is no failure of the unit.
          ['SuccessExitStatus', '3 4 5'],
        ],
      ],
    ],
    comment,
  );
  const timer = writeUnit(
    [
      ['Unit', [['Description', description]]],
      [
        'Timer',
        [
          ...calendarLines(schedule ?? '').map((line) => ['OnCalendar', line] as const),
          // One that was missed while the machine was off would measure a machine that starts.
          ['Persistent', 'false'],
        ],
      ],
      ['Install', [['WantedBy', 'timers.target']]],
    ],
    comment,
  );
  return {
    timer: `${unit}.timer`,
    files: [
      { path: `${folder}/${unit}.service`, text: service },
      { path: `${folder}/${unit}.timer`, text: timer },
    ],
    needs: [`Benchmark ${name} needs the fleet file as ${file}, and berth on the PATH of systemd.`],
  };
}
