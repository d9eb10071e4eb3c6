import { AccessRecord } from '../../domain/access-record.ts';
import type { TraceFormat, TraceLine } from './contract.ts';
import { parseJson } from '../../domain/json.ts';
import { explain } from './json-line.ts';

/** What a log of another version may have beside this does not matter. */
const Line = AccessRecord.pick({
  time: true,
  model: true,
  inputTokens: true,
  outputTokens: true,
}).strip();

function read(line: string, model: string | undefined): TraceLine {
  const value = parseJson(line);
  if (value === undefined) return { fault: 'it is not JSON' };
  const parsed = Line.safeParse(value);
  if (!parsed.success) return { fault: explain(parsed.error) };
  const { time, inputTokens, outputTokens } = parsed.data;
  if (model !== undefined && parsed.data.model !== model) return { skipped: 'of another model' };
  if (!inputTokens || !outputTokens) return { skipped: 'without a count of prompt and output tokens' };
  return {
    request: { at: Date.parse(time) / 1000, prompt: inputTokens, output: outputTokens, blocks: null },
  };
}

/** The gateway's own access log, which has times and lengths and nothing of what was said. */
export const gateway: TraceFormat<'gateway'> = {
  kind: 'gateway',
  title: "JSON lines of the gateway's own access log (gateway.accessLog)",
  header: false,
  recognizes: (first) => {
    const value = parseJson(first);
    return typeof value === 'object' && value !== null && 'inputTokens' in value && 'durationMs' in value;
  },
  open:
    (_first, { model }) =>
    (line) =>
      read(line, model),
};
