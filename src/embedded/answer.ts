import type { Inbound, Reply } from '../io/http-server/types.ts';
import type { GenerationEnd, GenerationRequest } from './generation.ts';
import { Refusal, invalidRequest, sendJson } from './refusal.ts';
import { chunkEvent, newId, timingsOf, usageOf } from './replies.ts';
import type { Identity, Shape } from './replies.ts';
import type { ChatRequest, CompletionRequest } from './requests.ts';
import { samplingOf } from './sampling.ts';
import type { Service } from './service.ts';

/** One request, ready to be generated: prompts as tokens, each with `n` choices. */
export interface Asked {
  /** Makes what writes the reply; called once, before anything is generated. */
  readonly write: (identity: Identity, reply: Reply) => Writer;
  readonly prompts: readonly (readonly number[])[];
  readonly request: CompletionRequest | ChatRequest;
}

/** Generates and replies, whole or as a stream. When the client leaves, in whatever phase, the slots are given back. */
export async function answer(service: Service, asked: Asked, inbound: Inbound, reply: Reply): Promise<void> {
  for (const prompt of asked.prompts) checkLength(service, prompt);
  const identity: Identity = {
    id: newId(),
    created: Math.floor(service.clock.wall().getTime() / 1000),
    model: service.name,
    fingerprint: service.engine.facts.build,
  };
  await generate(service, asked, asked.write(identity, reply), inbound.closed);
}

/** Replies as OpenAI's completions or chat, whole or as a stream. */
export function shaped(shape: Shape, request: CompletionRequest | ChatRequest): Asked['write'] {
  return (identity, reply) =>
    request.stream ? streamed(shape, request, identity, reply) : whole(shape, request, identity, reply);
}

function checkLength(service: Service, prompt: readonly number[]): void {
  const { context } = service.options;
  if (prompt.length === 0) throw invalidRequest('The prompt is empty.');
  if (prompt.length < context) return;
  throw new Refusal(
    400,
    'exceed_context_size_error',
    `request (${prompt.length} tokens) exceeds the available context size (${context} tokens), try increasing it`,
    { n_prompt_tokens: prompt.length, n_ctx: context },
  );
}

/** Where the text of the choices goes. */
export interface Writer {
  readonly text: (index: number, text: string) => void;
  readonly ended: (index: number, end: GenerationEnd) => void;
  readonly done: (ends: readonly GenerationEnd[]) => void;
}

function generate(service: Service, asked: Asked, write: Writer, signal: AbortSignal): Promise<void> {
  const { request, prompts } = asked;
  const choices = request.n ?? 1;
  const ends: GenerationEnd[] = [];
  let open = prompts.length * choices;
  return new Promise((resolve, reject) => {
    function onEnd(index: number, end: GenerationEnd): void {
      ends[index] = end;
      try {
        write.ended(index, end);
        open -= 1;
        if (open > 0) return;
        write.done(ends);
        resolve();
      } catch (error) {
        reject(error);
      }
    }
    const requests = prompts.flatMap((prompt, p) =>
      Array.from({ length: choices }, (_, c): GenerationRequest => {
        const index = p * choices + c;
        return {
          ...generationOf(service, request, c),
          prompt,
          signal,
          onText: (text) => write.text(index, text),
          onEnd: (end) => onEnd(index, end),
        };
      }),
    );
    if (!service.scheduler.submit(requests))
      reject(new Refusal(503, 'unavailable_error', 'All slots are busy and the queue is full.'));
  });
}

function generationOf(service: Service, request: CompletionRequest | ChatRequest, choice: number) {
  const seed = request.seed === undefined || request.seed < 0 ? undefined : request.seed + choice;
  const limit = request.max_completion_tokens ?? request.max_tokens ?? request.n_predict ?? -1;
  return {
    sampling: samplingOf({ ...request, seed }, service.engine.endTokens),
    maxTokens: limit < 0 ? Infinity : Math.max(1, limit),
    stops: (request.stop ?? []).filter((stop) => stop !== ''),
    ignoreEnd: request.ignore_eos ?? false,
    reuse: request.cache_prompt ?? true,
  };
}

/** What is told when the evaluation of an answer fails. */
export function failure(end: GenerationEnd): Refusal {
  return new Refusal(500, 'server_error', `The evaluation failed: ${end.reason ?? 'no reason given'}.`);
}

function whole(shape: Shape, request: Asked['request'], identity: Identity, reply: Reply): Writer {
  const texts: string[] = [];
  return {
    text: (index, text) => (texts[index] = (texts[index] ?? '') + text),
    ended: () => {},
    done: (ends) => {
      const failed = ends.find((end) => end.finish === 'error');
      if (failed) throw failure(failed);
      if (ends.some((end) => end.finish === 'aborted')) return reply.abort();
      sendJson(reply, {
        choices: ends.map((end, index) => shape.choice(index, texts[index] ?? '', end.finish)),
        created: identity.created,
        model: identity.model,
        system_fingerprint: identity.fingerprint,
        object: shape.object,
        usage: usageOf(ends, request.n ?? 1),
        id: identity.id,
        timings: timingsOf(ends[0] as GenerationEnd),
      });
    },
  };
}

export const eventStreamHead = [
  'Content-Type',
  'text/event-stream',
  'Cache-Control',
  'no-cache',
  'X-Accel-Buffering',
  'no',
];

/** The head goes out with the first event, so that what fails before it still has a status of its own. */
function streamed(shape: Shape, request: Asked['request'], identity: Identity, reply: Reply): Writer {
  const opened = new Set<number>();
  const withUsage = request.stream_options?.include_usage ?? false;
  function open(index: number): void {
    if (!reply.started) reply.head(200, eventStreamHead);
    if (opened.has(index)) return;
    opened.add(index);
    if (shape.opening) reply.write(chunkEvent(shape, identity, [shape.opening(index)]));
  }
  return {
    text: (index, text) => {
      open(index);
      reply.write(chunkEvent(shape, identity, [shape.piece(index, text)]));
    },
    ended: (index, end) => {
      if (end.finish === 'aborted') return;
      if (end.finish === 'error' && !reply.started) throw failure(end);
      open(index);
      if (end.finish === 'error') {
        reply.write(`data: ${failure(end).body()}\n\n`);
        return;
      }
      const timings = withUsage ? {} : { timings: timingsOf(end) };
      reply.write(chunkEvent(shape, identity, [shape.closing(index, end.finish)], timings));
    },
    done: (ends) => {
      if (ends.some((end) => end.finish === 'aborted' || end.finish === 'error')) return reply.abort();
      if (withUsage) {
        const usage = usageOf(ends, request.n ?? 1);
        const timings = timingsOf(ends[0] as GenerationEnd);
        reply.write(chunkEvent(shape, identity, [], { usage, timings }));
      }
      reply.end('data: [DONE]\n\n');
    },
  };
}
