import http from 'node:http';

export interface Load {
  readonly streams: number;
  readonly requestsPerStream: number;
  readonly outputTokens: number;
}

export interface Measured {
  /** Output tokens over wall time, prefill included. */
  readonly tokensPerSecond: number;
  readonly tokens: number;
  readonly ttftMs: readonly number[];
}

const words =
  'the server reads each request and sends what it holds while others wait for their turn to speak'.split(
    ' ',
  );
let serial = 0;

/** A prompt of about sixty tokens that no server has seen before. */
function freshPrompt(): string {
  serial += 1;
  const picked = Array.from({ length: 18 }, (_, i) => words[(serial * 7 + i * i) % words.length]);
  return `${serial} ${process.hrtime.bigint() % 1_000_003n} ${picked.join(' ')}`;
}

/** Closed loop: each stream sends its next request when its last one is answered. */
export async function drive(port: number, load: Load): Promise<Measured> {
  const ttftMs: number[] = [];
  let tokens = 0;
  const began = performance.now();
  async function stream(): Promise<void> {
    for (let i = 0; i < load.requestsPerStream; i += 1) {
      const done = await ask(port, load.outputTokens);
      tokens += done.tokens;
      ttftMs.push(done.ttftMs);
    }
  }
  await Promise.all(Array.from({ length: load.streams }, stream));
  return { tokensPerSecond: (tokens * 1000) / (performance.now() - began), tokens, ttftMs };
}

function ask(port: number, outputTokens: number): Promise<{ tokens: number; ttftMs: number }> {
  const body = JSON.stringify({
    prompt: freshPrompt(),
    max_tokens: outputTokens,
    ignore_eos: true,
    temperature: 0.8,
    stream: true,
    cache_prompt: false,
    stream_options: { include_usage: true },
  });
  return new Promise((resolve, reject) => {
    const sent = performance.now();
    let ttftMs = Number.NaN;
    let tail = '';
    const request = http.request(
      { port, host: '127.0.0.1', path: '/v1/completions', method: 'POST', agent: false },
      (response) => {
        response.setEncoding('utf8').on('data', (text: string) => {
          if (Number.isNaN(ttftMs)) ttftMs = performance.now() - sent;
          tail = (tail + text).slice(-2000);
        });
        response.on('error', reject);
        response.on('end', () => {
          const tokens = Number(/"completion_tokens":(\d+)/.exec(tail)?.[1]);
          if (response.statusCode === 200 && tokens > 0) resolve({ tokens, ttftMs });
          else reject(new Error(`status ${response.statusCode}: ${tail}`));
        });
      },
    );
    request.on('error', reject).end(body);
  });
}
