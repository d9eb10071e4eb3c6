import type { AccessRecord } from '../../domain/access-record.ts';
import type { Call } from '../front/call.ts';
import { computedName } from '../upstream/computed-route.ts';

/** What the log says of a request that has ended at `now` (monotonic milliseconds). */
export function accessRecord(call: Call, now: number): AccessRecord {
  const { trail, startedAt } = call;
  return {
    time: new Date(trail.arrivedMs).toISOString(),
    id: call.id,
    key: call.key,
    endpoint: call.endpoint.path,
    model: computedName(call),
    deployment: trail.deployment,
    instance: trail.instance,
    stream: trail.stream,
    status: call.status,
    outcome: outcomeOf(call),
    code: trail.code,
    queueMs: trail.leasedAt === null && trail.waits === null ? null : tenths(call.queuedMs),
    ttftMs: since(startedAt, trail.firstAt),
    durationMs: tenths(now - startedAt),
    inputTokens: trail.inputTokens,
    outputTokens: trail.outputTokens,
    tokenSource: trail.tokenSource,
    bytesIn: trail.bytesIn,
    retries: Math.max(0, trail.attempts - 1),
  };
}

export function outcomeOf({ trail, gone }: Call): AccessRecord['outcome'] {
  if (gone) return 'client-gone';
  if (trail.cancelled) return 'cancelled';
  if (trail.cut) return 'cut';
  return trail.code === null ? 'done' : 'refused';
}

/** One line for people: `time id key POST endpoint model@instance status outcome …`. */
export function accessText(record: AccessRecord): string {
  const { model, instance, inputTokens, outputTokens, tokenSource } = record;
  const about = tokenSource === 'estimate' ? '~' : '';
  return [
    record.time,
    record.id,
    record.key || '-',
    record.endpoint || '-',
    `${quoted(model || '-')}@${quoted(instance ?? '-')}`,
    record.status,
    record.code ?? record.outcome,
    `queue=${known(record.queueMs, 'ms')}`,
    `ttft=${known(record.ttftMs, 'ms')}`,
    `total=${known(record.durationMs, 'ms')}`,
    `in=${inputTokens === null ? '-' : about}${inputTokens ?? ''}`,
    `out=${outputTokens === null ? '-' : about}${outputTokens ?? ''}`,
    `retries=${record.retries}`,
    ...(record.client === undefined ? [] : [`client=${record.client}`]),
    ...(record.leftOut === undefined ? [] : [`leftOut=${record.leftOut}`]),
  ].join(' ');
}

function known(value: number | null, unit = ''): string {
  return value === null ? '-' : `${value}${unit}`;
}

/** A model's name is the client's to choose: it must not make two words or two lines of one. */
function quoted(text: string): string {
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text);
}

function since(from: number, to: number | null): number | null {
  return to === null ? null : tenths(to - from);
}

function tenths(value: number): number {
  return Math.max(0, Math.round(value * 10) / 10);
}
