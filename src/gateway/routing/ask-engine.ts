import type { BodyRead, Exchange, UpstreamSink } from '../../io/upstream-pool/types.ts';
import type { GatewayState } from '../state.ts';
import type { Instance } from './instance.ts';

const answerMs = 2000;
/** Beyond this it is no answer to a question of ours. */
const mostBytes = 4 * 1024 * 1024;

export interface Question {
  readonly path: string;
  /** Sent by POST; without it the path is read. */
  readonly json?: unknown;
}

/** What the engine answers with 200; null for whatever is no good answer in time. Never rejects. */
export function askEngine(
  state: Pick<GatewayState, 'after'>,
  instance: Instance,
  { path, json }: Question,
): Promise<string | null> {
  return new Promise((resolve) => {
    const headers = ['accept-encoding', 'identity'];
    if (instance.key !== null) headers.push('authorization', `Bearer ${instance.key}`);
    if (json !== undefined) headers.push('content-type', 'application/json');
    const parts: Buffer[] = [];
    let size = 0;
    let status = 0;
    let exchange: Exchange | null = null;
    function end(answer: string | null): void {
      callOff();
      resolve(answer);
    }
    function giveUp(): void {
      exchange?.abort();
      end(null);
    }
    const callOff = state.after(answerMs, giveUp);
    const sink: UpstreamSink = {
      onHead: (head) => ({ status } = head),
      onBody: (read) => {
        size += read.raw.length;
        if (size > mostBytes) giveUp();
        else parts.push(payloadOf(read));
      },
      onEnd: () => end(status === 200 ? Buffer.concat(parts).toString('utf8') : null),
      onFail: () => end(null),
    };
    const body = json === undefined ? [] : [Buffer.from(JSON.stringify(json))];
    const method = json === undefined ? 'GET' : 'POST';
    exchange = instance.pool.send({ method, path, headers, body }, sink);
  });
}

/** A copy: what was read is valid only while it is handed over. */
function payloadOf({ raw, spans, spanCount }: BodyRead): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i < spanCount; i += 2) parts.push(raw.subarray(spans[i], spans[i + 1]));
  return Buffer.concat(parts);
}
