import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import { hideSecret } from '../../domain/secret.ts';
import type { HttpReply } from '../../io/http.ts';
import { openSource } from '../../io/byte-file.ts';
import type { World } from '../../io/world.ts';
import type { BenchPrompt, PromptServer } from '../contract.ts';
import { allExtras, noExtras, requestBody, requestHeaders } from '../request-body.ts';
import type { Extras } from '../request-body.ts';
import { openLocalTokenizer } from '../local-tokenizer.ts';
import { endpointOf } from './run-endpoint.ts';
import { findTokenizer } from '../tokenizer.ts';

/** What is found out about the server before the first stage; all of it outside the measured time. */
export interface Preflight {
  readonly model: string;
  readonly extras: Extras;
  readonly server: string | null;
  readonly prompts: PromptServer;
}

const ModelList = z.object({ data: z.array(z.object({ id: z.string() })) });
const Counted = z.object({
  usage: z.object({ prompt_tokens: z.int().optional(), input_tokens: z.int().optional() }).nullish(),
});

/** Throws BENCH_TARGET_DOWN when the server does not answer one short request; the signal ends the waiting for it. */
export async function preflight(
  outer: World,
  spec: RunSpec,
  { key, engineKey, signal }: { key: string | null; engineKey: string | null; signal: AbortSignal },
): Promise<Preflight> {
  const world = interruptible(outer, signal);
  const model = spec.target.model ?? (await firstModel(world, spec, key));
  const probe: BenchPrompt = {
    content: 'Tell',
    promptTokens: { tokens: null, source: null },
    outputTokens: endpointOf(spec).leastOutput,
  };
  let extras = allExtras;
  let reply = await ask(world, spec, key, requestBody(quiet(spec), model, probe, extras));
  // A strict server refuses fields that it does not know.
  if (reply.status === 400 || reply.status === 422) {
    extras = { ...noExtras, streamUsage: true };
    reply = await ask(world, spec, key, requestBody(quiet(spec), model, probe, extras));
  }
  if (reply.status !== 200)
    throw down(spec, `HTTP ${reply.status}: ${hideSecret(reply.text.slice(0, 200), key)}`);
  const serverHeader = reply.headers['server'];
  const { tokenizer: elsewhere, tokenizerFile } = spec.target;
  const tokenizer =
    (await findTokenizer(world, elsewhere ?? spec.target.url, model, elsewhere === null ? key : engineKey)) ??
    (tokenizerFile === undefined ? null : await openLocalTokenizer(outer, tokenizerFile));
  return {
    model,
    extras,
    server: typeof serverHeader === 'string' ? serverHeader : null,
    prompts: {
      countTokens: tokenizer?.count ?? null,
      tokenizer: tokenizer?.name ?? null,
      countPrompt: async (text) => {
        if (!endpointOf(spec).countsTexts) return null;
        const body = requestBody(quiet(spec), model, { ...probe, content: text }, extras);
        return promptTokens(await ask(world, spec, key, body));
      },
      readFile: world.files.read,
      openFile: openSource,
    },
  };
}

/** The same world, its requests ended by the signal. */
function interruptible(world: World, signal: AbortSignal): World {
  const http: World['http'] = { request: (url, request) => world.http.request(url, { ...request, signal }) };
  return { ...world, http };
}

/** One short answer at once, whatever the run asks for. */
function quiet(spec: RunSpec): RunSpec {
  return { ...spec, stream: false };
}

function promptTokens(reply: HttpReply): number | null {
  if (reply.status !== 200) return null;
  try {
    const { usage } = Counted.parse(JSON.parse(reply.text));
    return usage?.prompt_tokens ?? usage?.input_tokens ?? null;
  } catch {
    return null;
  }
}

async function ask(world: World, spec: RunSpec, key: string | null, body: Buffer): Promise<HttpReply> {
  const url = `${spec.target.url}${endpointOf(spec).path}`;
  try {
    return await world.http.request(url, {
      method: 'POST',
      headers: requestHeaders(key),
      body: body.toString(),
      timeoutMs: spec.timeoutSeconds * 1000,
    });
  } catch (error) {
    throw down(spec, error instanceof Error ? error.message || String(error) : String(error), error);
  }
}

async function firstModel(world: World, spec: RunSpec, key: string | null): Promise<string> {
  let reply: HttpReply;
  try {
    reply = await world.http.request(`${spec.target.url}/v1/models`, {
      headers: requestHeaders(key),
      timeoutMs: 10_000,
    });
  } catch (error) {
    throw down(spec, error instanceof Error ? error.message || String(error) : String(error), error);
  }
  if (reply.status !== 200) throw down(spec, `HTTP ${reply.status} on /v1/models`);
  const list = ModelList.safeParse(parseJson(reply.text));
  const first = list.success ? list.data.data[0] : undefined;
  if (!first) throw new BerthError('BENCH_MODEL_UNKNOWN', { url: spec.target.url });
  return first.id;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function down(spec: RunSpec, reason: string, cause?: unknown): BerthError {
  return new BerthError('BENCH_TARGET_DOWN', { url: spec.target.url, reason }, { cause });
}
