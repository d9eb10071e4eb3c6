import type { Turn } from '../../gateway/fake-upstream.ts';

/**
 * An engine at the wire that plays what llama-server sends at each endpoint, with the words it was recorded with.
 * What a prompt says decides: "endless" streams until the client leaves, "unread" is never answered, "breaks" dies
 * midway; tools are called once, and their result is repeated.
 */
export async function plays(turn: Turn): Promise<void> {
  const { body, headers, path } = turn.request;
  if (headers['content-type']?.startsWith('multipart/')) return turn.json(200, heard);
  if (path === '/v1/audio/speech') return speaks(turn);
  const asked = JSON.parse(body === '' ? '{}' : body) as Asked;
  const play = endpoints[path];
  if (!play)
    return turn.json(404, { error: { code: 404, message: 'File Not Found', type: 'not_found_error' } });
  if (body.includes('unread')) return;
  const scene = play(sceneOf(asked, body));
  if (!asked.stream) return turn.json(200, scene.whole);
  turn.stream();
  if (body.includes('endless')) return endlessly(turn, scene);
  const [first = '', ...others] = scene.events;
  turn.chunk(first);
  if (body.includes('breaks')) return turn.reset();
  for (const event of others) turn.chunk(event);
  turn.endChunks();
}

const heard = {
  text: 'Hello there!',
  usage: { type: 'tokens', input_tokens: 14, output_tokens: 45, total_tokens: 59 },
};

function speaks(turn: Turn): void {
  turn.stream('Content-Type: audio/mpeg\r\n');
  turn.chunk(Buffer.from([255, 251, 0]));
  turn.chunk(Buffer.from([13, 10, 254]));
  turn.endChunks();
}

interface Asked {
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly tools?: readonly unknown[];
  readonly encoding_format?: string;
  readonly input?: unknown;
}

/** What is said, whatever the endpoint. */
interface Scene {
  readonly asked: Asked;
  readonly words: readonly string[];
  /** The tool that is called in place of words. */
  readonly call: { readonly id: string; readonly name: string; readonly json: readonly string[] } | null;
}

interface Play {
  readonly whole: unknown;
  /** Of a stream. */
  readonly events: readonly string[];
  /** One more word, for a stream that does not end. */
  readonly more: string;
}

async function endlessly(turn: Turn, { events, more }: Play): Promise<void> {
  let gone = false;
  void turn.closed.then(() => (gone = true));
  turn.chunk(events.slice(0, -2).join(''));
  while (!gone) {
    turn.chunk(more);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A tool is called when there are some and none has answered yet. */
function sceneOf(asked: Asked, body: string): Scene {
  const answered = /"role":"tool"|"type":"(?:tool_result|function_call_output)"/.test(body);
  const calls = asked.tools !== undefined && asked.tools.length > 0 && !answered;
  const said = answered ? ['It is ', '7 degrees', ' in Bremen.'] : ['Hel', 'lo', ' there!'];
  return {
    asked,
    words: calls ? [] : said,
    call: calls ? { id: 'call_1', name: 'weather', json: ['{"city":', '"Bremen"}'] } : null,
  };
}

const endpoints: Readonly<Record<string, (scene: Scene) => Play>> = {
  '/v1/chat/completions': chat,
  '/v1/completions': completion,
  '/v1/messages': messages,
  '/v1/messages/count_tokens': () => only({ input_tokens: 11 }),
  '/v1/responses': responses,
  '/v1/embeddings': ({ asked }) => only(embeddings(asked)),
  '/v1/rerank': () =>
    only({
      model: 'tiny',
      object: 'list',
      usage: { prompt_tokens: 12, total_tokens: 12 },
      results: [
        { index: 1, relevance_score: 0.9 },
        { index: 0, relevance_score: 0.1 },
      ],
    }),
};

function only(whole: unknown): Play {
  return { whole, events: [], more: '' };
}

const usage = { completion_tokens: 3, prompt_tokens: 11, total_tokens: 14 };
const base = { created: 1795230634, id: 'chatcmpl-1', model: 'tiny', system_fingerprint: 'b1-de3ff81' };

function data(value: unknown): string {
  return `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;
}

function chat({ asked, words, call }: Scene): Play {
  function chunk(delta: unknown, finish: string | null = null): string {
    const choices = [{ finish_reason: finish, index: 0, delta }];
    return data({ choices, ...base, object: 'chat.completion.chunk' });
  }
  const finish = call ? 'tool_calls' : 'stop';
  const calls = call && [
    { type: 'function', id: call.id, function: { name: call.name, arguments: call.json.join('') } },
  ];
  const message = {
    role: 'assistant',
    content: call ? null : words.join(''),
    ...(calls && { tool_calls: calls }),
  };
  const deltas = call
    ? call.json.map((json, i) =>
        chunk({
          tool_calls: [
            {
              index: 0,
              ...(i === 0 && { id: call.id, type: 'function' }),
              function: { ...(i === 0 && { name: call.name }), arguments: json },
            },
          ],
        }),
      )
    : words.map((content) => chunk({ content }));
  const counted = data({ choices: [], ...base, object: 'chat.completion.chunk', usage });
  return {
    whole: {
      choices: [{ finish_reason: finish, index: 0, message }],
      ...base,
      object: 'chat.completion',
      usage,
    },
    events: [
      chunk({ role: 'assistant', content: null }),
      ...deltas,
      chunk({}, finish),
      ...(asked.stream_options?.include_usage ? [counted] : []),
      data('[DONE]'),
    ],
    more: chunk({ content: ' and' }),
  };
}

function completion({ words }: Scene): Play {
  function piece(text: string, finish: string | null, more = {}): unknown {
    const choices = [{ text, index: 0, logprobs: null, finish_reason: finish }];
    return { choices, ...base, object: 'text_completion', ...more };
  }
  return {
    whole: piece(words.join(''), 'stop', { usage }),
    events: [
      ...words.map((word) => data(piece(word, null))),
      data(piece('', 'stop', { usage })),
      data('[DONE]'),
    ],
    more: data(piece(' and', null)),
  };
}

function named(event: { readonly type: string }): string {
  return `event: ${event.type}\n${data(event)}`;
}

function messages({ words, call }: Scene): Play {
  const message = {
    id: 'chatcmpl-1',
    type: 'message',
    role: 'assistant',
    model: 'tiny',
    stop_sequence: null,
  };
  const counted = { cache_read_input_tokens: 4, input_tokens: 7, output_tokens: 3 };
  const stop = call ? 'tool_use' : 'end_turn';
  const content = call
    ? { type: 'tool_use', id: call.id, name: call.name, input: JSON.parse(call.json.join('')) as unknown }
    : { type: 'text', text: words.join('') };
  const block = call ? { ...content, input: {} } : { type: 'text', text: '' };
  const deltas = call
    ? call.json.map((json) => ({ type: 'input_json_delta', partial_json: json }))
    : words.map((text) => ({ type: 'text_delta', text }));
  function delta(of: unknown): string {
    return named({ type: 'content_block_delta', index: 0, delta: of } as { type: string });
  }
  const begun = { ...message, content: [], stop_reason: null, usage: { ...counted, output_tokens: 0 } };
  const events: { readonly type: string; readonly [field: string]: unknown }[] = [
    { type: 'message_start', message: begun },
    { type: 'content_block_start', index: 0, content_block: block },
  ];
  const ends: typeof events = [
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: 3 } },
    { type: 'message_stop' },
  ];
  return {
    whole: { ...message, content: [content], stop_reason: stop, usage: counted },
    events: [...events.map(named), ...deltas.map(delta), ...ends.map(named)],
    more: delta({ type: 'text_delta', text: ' and' }),
  };
}

function responses({ words, call }: Scene): Play {
  const text = words.join('');
  const parts = [{ type: 'output_text', annotations: [], logprobs: [], text }];
  const item = call
    ? { type: 'function_call', id: 'fc_1', call_id: call.id, name: call.name, arguments: call.json.join('') }
    : { type: 'message', id: 'msg_1', role: 'assistant', content: parts };
  const output = [{ ...item, status: 'completed' }];
  const counted = {
    input_tokens: 11,
    output_tokens: 3,
    total_tokens: 14,
    input_tokens_details: { cached_tokens: 4 },
  };
  const done = {
    id: 'resp_1',
    object: 'response',
    created_at: 1795230635,
    status: 'completed',
    model: 'tiny',
  };
  const begun = { id: 'resp_1', object: 'response', status: 'in_progress' };
  const where = { item_id: call ? 'fc_1' : 'msg_1', output_index: 0 };
  const kind = call ? 'response.function_call_arguments' : 'response.output_text';
  const deltas = (call ? call.json : words).map((delta) => ({ type: `${kind}.delta`, ...where, delta }));
  const events: { readonly type: string; readonly [field: string]: unknown }[] = [
    { type: 'response.created', response: begun },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: { ...item, status: 'in_progress', ...(call ? { arguments: '' } : { content: [] }) },
    },
    ...deltas,
    { type: 'response.output_item.done', output_index: 0, item: output[0] },
    { type: 'response.completed', response: { ...done, output, usage: counted } },
  ];
  return {
    whole: { ...done, output, usage: counted },
    events: events.map(named),
    more: named({ type: `${kind}.delta`, ...where, delta: ' and' } as { type: string }),
  };
}

function embeddings({ input, encoding_format: format }: Asked): unknown {
  const inputs = Array.isArray(input) ? input : [input];
  const vector = [0.5, -0.25, 0.125];
  const embedding =
    format === 'base64' ? Buffer.from(new Float32Array(vector).buffer).toString('base64') : vector;
  return {
    model: 'tiny',
    object: 'list',
    usage: { prompt_tokens: 4, total_tokens: 4 },
    data: inputs.map((_, index) => ({ embedding, index, object: 'embedding' })),
  };
}
