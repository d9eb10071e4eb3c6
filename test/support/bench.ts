import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RequestRecord } from '../../src/domain/run/record.ts';
import { Report } from '../../src/domain/run/report.ts';
import type { Place, Ran } from './berth.ts';

export interface BenchRun extends Ran {
  readonly folder: string;
  readonly report: Report;
  readonly records: RequestRecord[];
}

/**
 * A benchmark by the command line, without the calibration. A loaded machine may limit the client (exit code 5), which is
 * no fault of a test; every other code is one, unless the test names it.
 */
export async function bench(
  place: Place,
  args: readonly string[],
  codes: readonly number[] = [0, 5],
): Promise<BenchRun> {
  const ran = await place.berth('bench', ...args, '--json', '--no-calibrate');
  if (ran.code === null || !codes.includes(ran.code))
    throw new Error(`code ${ran.code}: ${ran.stderr}${ran.stdout}`);
  const { runs } = ran.json() as { runs: { folder: string; report: unknown }[] };
  const folder = runs[0]?.folder ?? '';
  const records = readFileSync(join(folder, 'records.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => RequestRecord.parse(JSON.parse(line)));
  return { ...ran, folder, report: Report.parse(runs[0]?.report), records };
}
