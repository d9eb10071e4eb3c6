import type { TraceFormat, TraceLine } from './contract.ts';

const columns = ['timestamp', 'contexttokens', 'generatedtokens'] as const;

function cells(line: string): string[] {
  return line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
}

function open(first: string): ((line: string) => TraceLine) | string {
  const names = cells(first).map((name) => name.toLowerCase());
  const missing = columns.filter((name) => !names.includes(name));
  if (missing.length > 0) return `it has no column ${missing.join(', ')}`;
  const [time, prompt, output] = columns.map((name) => names.indexOf(name)) as [number, number, number];
  return (line) => {
    const values = cells(line);
    const at = secondsOf(values[time] ?? '');
    const lengths = [prompt, output].map((column) => wholeOf(values[column] ?? ''));
    const faults = [
      ...(at === null ? [`TIMESTAMP "${values[time] ?? ''}" is no time`] : []),
      ...(lengths[0] === null || lengths[0] === 0
        ? [`ContextTokens "${values[prompt] ?? ''}" is no number of tokens`]
        : []),
      ...(lengths[1] === null ? [`GeneratedTokens "${values[output] ?? ''}" is no number of tokens`] : []),
    ];
    if (faults.length > 0) return { fault: faults.join('; ') };
    return {
      request: { at: at as number, prompt: lengths[0] as number, output: lengths[1] as number, blocks: null },
    };
  };
}

function wholeOf(text: string): number | null {
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}

const moment = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?$/;

/** Seconds since 1970, with the microseconds that a Date would drop; a time without a zone is UTC. */
function secondsOf(text: string): number | null {
  const [, day, time, fraction = '0', zone = 'Z'] = moment.exec(text) ?? [];
  const seconds = Date.parse(`${day}T${time}${zone.replace(/(\d\d)(\d\d)$/, '$1:$2')}`) / 1000;
  return Number.isNaN(seconds) ? null : seconds + Number(`0.${fraction}`);
}

/** The LLM inference traces of Azure: a CSV file of arrival times and token counts. */
export const azure: TraceFormat<'azure'> = {
  kind: 'azure',
  title: 'CSV of the Azure LLM inference traces: TIMESTAMP, ContextTokens, GeneratedTokens',
  header: true,
  recognizes: (first) => /contexttokens/i.test(first) && !first.startsWith('{'),
  open,
};
