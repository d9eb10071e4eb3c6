import { BerthError } from '../../domain/errors/berth-error.ts';
import type { TraceFormat, TraceReaderOptions, TraceRequest } from './contract.ts';
import { traceFormats } from './trace-formats.ts';
import type { TraceKind } from './trace-formats.ts';

export interface Trace {
  readonly format: TraceKind;
  /** In order of time, which begins at 0. */
  readonly requests: readonly TraceRequest[];
  /** Why lines were left out, and how many each. */
  readonly skipped: ReadonlyMap<string, number>;
}

/** Throws TRACE_INVALID with every fault of the file, each with its line. */
export function readTrace(
  text: string,
  options: TraceReaderOptions & { path: string; format: TraceKind | 'auto'; from: number },
): Trace {
  const { path } = options;
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  const first = lines.findIndex((line) => line.trim() !== '');
  if (first < 0) throw invalid(path, ['1: it is empty']);
  const firstLine = (lines[first] as string).replace(/^\uFEFF/, '');
  lines[first] = firstLine;
  const format = formatOf(firstLine, options.format);
  if (format === null)
    throw invalid(path, [
      `${first + 1}: it is none of the traces that are known (${traceFormats.map(({ title }) => title).join('; ')})`,
    ]);
  const read = format.open(firstLine, options);
  if (typeof read === 'string') throw invalid(path, [`${first + 1}: ${read}`]);
  const found: TraceRequest[] = [];
  const faults: string[] = [];
  const skipped = new Map<string, number>();
  for (let i = first + (format.header ? 1 : 0); i < lines.length; i += 1) {
    const line = lines[i] as string;
    if (line.trim() === '') continue;
    const one = read(line);
    if ('fault' in one) faults.push(`${i + 1}: ${one.fault}`);
    else if ('skipped' in one) skipped.set(one.skipped, (skipped.get(one.skipped) ?? 0) + 1);
    else found.push(one.request);
  }
  if (faults.length > 0) throw invalid(path, faults);
  const requests = fromZero(found, options.from);
  if (requests.length === 0)
    throw invalid(path, [`${lines.length}: it has no request that could be sent again`]);
  return { format: format.kind, requests, skipped };
}

function formatOf(firstLine: string, kind: TraceKind | 'auto'): TraceFormat<TraceKind> | null {
  return (
    traceFormats.find((format) => (kind === 'auto' ? format.recognizes(firstLine) : format.kind === kind)) ??
    null
  );
}

/** A log is written in the order in which requests ended; they are sent in the order in which they came. */
function fromZero(requests: readonly TraceRequest[], from: number): TraceRequest[] {
  const begin = requests.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY) + from;
  return requests
    .filter(({ at }) => at >= begin)
    .map((request) => ({ ...request, at: request.at - begin }))
    .sort((a, b) => a.at - b.at);
}

function invalid(path: string, faults: readonly string[]): BerthError {
  return new BerthError('TRACE_INVALID', { path, faults });
}
