import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RequestRecord } from '../../../src/domain/run/record.ts';
import { tpotOf } from '../../../src/domain/run/request-times.ts';
import { askedTokens, numberOf } from './contract.ts';
import type { Load, Tool, ToldRequest } from './contract.ts';

const root = join(import.meta.dirname, '../../..');

export const berth: Tool = {
  name: 'berth',
  argv: (url, load, folder) => {
    const prompts = join(folder, 'prompts.jsonl');
    writeFileSync(prompts, `{"prompt":"Tell me","max_tokens":${askedTokens}}\n`);
    const what = ['--model', 'truth', '--data', prompts, '--no-calibrate', ...shapeOf(load)];
    if (load.requests !== undefined) what.push('--max-requests', String(load.requests));
    if (load.seconds !== undefined) what.push('--max-seconds', String(load.seconds));
    if (load.timeoutSeconds !== undefined) what.push('--timeout', String(load.timeoutSeconds));
    if (load.streamed === false) what.push('--no-stream');
    return [process.execPath, join(root, 'bin/berth.js'), 'bench', url, ...what];
  },
  env: (folder) => ({
    ...process.env,
    XDG_DATA_HOME: folder,
    XDG_STATE_HOME: folder,
    XDG_CONFIG_HOME: folder,
  }),
  read: (folder) => {
    const runs = join(folder, 'berth/runs');
    const [run = ''] = readdirSync(runs);
    return readFileSync(join(runs, run, 'records.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => RequestRecord.parse(JSON.parse(line)))
      .filter(({ outcome }) => outcome === 'ok')
      .map(toldBy);
  },
};

function shapeOf({ rate, streams, arrivals }: Load): string[] {
  return rate === undefined
    ? ['--streams', String(streams)]
    : ['--profile', arrivals ?? 'constant', '--rate', String(rate)];
}

function toldBy(record: RequestRecord): ToldRequest {
  const { responseId, scheduled, sent, firstToken, last, done, gaps, output } = record;
  return {
    number: numberOf(responseId),
    ttftMs: ms(firstToken, sent),
    tpotMs: tpotOf(record),
    longestGapMs: gaps.length === 0 ? null : Math.max(...gaps) / 1000,
    e2eMs: ms(last ?? done, sent),
    fromScheduleMs: ms(last ?? done, scheduled),
    tokens: output.tokens,
  };
}

function ms(micros: number | null, from: number | null): number | null {
  return micros === null || from === null ? null : (micros - from) / 1000;
}
