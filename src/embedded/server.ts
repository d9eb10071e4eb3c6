import { createHash, timingSafeEqual } from 'node:crypto';
import type { World } from '../io/world.ts';
import { BodyTooLarge, serve } from '../io/http-server/serve.ts';
import type { Inbound, Listening, Reply } from '../io/http-server/types.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { checkRunnable } from '../model-files/gguf-check.ts';
import { readGgufFile } from '../model-files/gguf-read.ts';
import { join } from 'node:path';
import { createChatPrompt } from './chat-prompt.ts';
import { loadEngine } from './load-engine.ts';
import { loadLibrary } from './load-library.ts';
import { createMetrics } from './metrics.ts';
import type { EmbeddedOptions } from './options.ts';
import { Refusal, sendError, sendJson } from './refusal.ts';
import { routes } from './routes.ts';
import { Scheduler } from './scheduler.ts';
import type { Service } from './service.ts';
import { defaultThreads } from './threads.ts';

export interface EmbeddedServer {
  readonly address: string;
  readonly port: number;
  /** Resolves once requests are answered; rejects when the model cannot be loaded. */
  readonly ready: Promise<Service>;
  /** Refuses what is new, lets running answers end within `graceMs`, then cuts. */
  readonly close: (graceMs: number) => Promise<void>;
}

/** Prompt tokens that may join a step of running answers: few enough that these hardly falter. */
const chunk = 128;

/**
 * Checks the model's header, opens the port (503 until the model is loaded) and loads the model.
 * Throws the GGUF errors, FILE_MISSING, FILE_UNREADABLE and PORT_TAKEN before the port is open.
 */
export async function startEmbedded(world: World, options: EmbeddedOptions): Promise<EmbeddedServer> {
  const header = await readGgufFile(options.model);
  checkRunnable(header, options.model);
  const key = options.apiKeyFile === null ? null : await readKeys(world, options.apiKeyFile);
  let service: Service | null = null;
  const listening = await listen(options, (inbound, reply) => handle(inbound, reply, { service, key }));
  const ready = load(world, header, options).then((loaded) => (service = loaded));
  return {
    address: listening.address,
    port: listening.port,
    ready,
    close: async (graceMs) => listening.close(graceMs),
  };
}

async function load(
  world: World,
  header: Awaited<ReturnType<typeof readGgufFile>>,
  options: EmbeddedOptions,
): Promise<Service> {
  const engines = world.env['BERTH_ENGINES'] ?? world.places.engines;
  const folders = [...(options.library === null ? [] : [options.library]), join(engines, 'embedded')];
  const library = await loadLibrary(folders);
  const threads = options.threads ?? (await defaultThreads(world.files, world.proc));
  const engine = await loadEngine(library, header, { ...options, threads }, world.log);
  const metrics = createMetrics();
  const scheduler = new Scheduler({
    decoder: engine.decoder,
    slots: options.slots,
    context: options.context,
    batch: options.batch,
    chunk,
    queue: options.queue,
    pieces: engine.pieces,
    isEnd: isOneOf(engine.endTokens),
    metrics,
    clock: world.clock,
    log: world.log,
  });
  const chatPrompt = createChatPrompt({
    template: engine.chatTemplate,
    beginText: engine.beginText,
    endText: engine.endText,
  });
  const name = options.alias ?? options.model;
  return { engine, scheduler, metrics, chatPrompt, options, clock: world.clock, name };
}

function isOneOf(tokens: readonly number[]): (token: number) => boolean {
  const set = new Set(tokens);
  return (token) => set.has(token);
}

async function listen(
  options: EmbeddedOptions,
  handler: (inbound: Inbound, reply: Reply) => Promise<void>,
): Promise<Listening> {
  const { host: address, port } = options;
  try {
    return await serve({ address, port }, handler);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new BerthError('PORT_TAKEN', { address, port, holder: 'another program' }, { cause: error });
  }
}

async function readKeys(world: World, path: string): Promise<Buffer[]> {
  const text = await world.files.read(path);
  if (text === null) throw new BerthError('FILE_MISSING', { path, what: 'key file' });
  const keys = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  if (keys.length === 0) throw new BerthError('FILE_UNREADABLE', { path, reason: 'it holds no key' });
  return keys.map(digest);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

interface State {
  readonly service: Service | null;
  readonly key: readonly Buffer[] | null;
}

async function handle(inbound: Inbound, reply: Reply, state: State): Promise<void> {
  const path = inbound.url.split('?', 1)[0] as string;
  const anthropic = path === '/v1/messages' || path.startsWith('/v1/messages/');
  try {
    if (path === '/health' || path === '/v1/health') return health(reply, state);
    checkKey(inbound, state.key);
    if (!state.service) throw loading();
    const route = routes[path];
    if (!route) throw new Refusal(404, 'not_found_error', `Nothing is served at ${path}.`);
    const method = inbound.method === 'HEAD' ? 'GET' : inbound.method;
    const handler = route[method as 'GET' | 'POST'];
    if (!handler) return methodRefused(reply, { path, allowed: Object.keys(route), anthropic });
    await handler(state.service, inbound, reply);
  } catch (error) {
    refuse(reply, error, anthropic);
  }
}

function health(reply: Reply, { service }: State): void {
  if (!service) throw loading();
  sendJson(reply, { status: 'ok' });
}

function loading(): Refusal {
  return new Refusal(503, 'unavailable_error', 'Loading model');
}

function methodRefused(
  reply: Reply,
  asked: { path: string; allowed: readonly string[]; anthropic: boolean },
): void {
  const { allowed, anthropic, path } = asked;
  const error = new Refusal(405, 'invalid_request_error', `${path} answers ${allowed.join(' and ')} only.`);
  sendError(reply, error, { anthropic, headers: ['Allow', allowed.join(', ')] });
}

function checkKey(inbound: Inbound, keys: State['key']): void {
  if (!keys) return;
  const given =
    inbound.header('authorization')?.replace(/^Bearer\s+/i, '') ?? inbound.header('x-api-key') ?? '';
  const seen = digest(given);
  if (!keys.some((key) => timingSafeEqual(key, seen)))
    throw new Refusal(401, 'authentication_error', 'Invalid API Key');
}

function refuse(reply: Reply, error: unknown, anthropic: boolean): void {
  if (reply.started || reply.finished) return reply.abort();
  sendError(reply, refusalOf(error), { anthropic });
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof BodyTooLarge) return new Refusal(413, 'invalid_request_error', error.message);
  const message = error instanceof Error ? error.message : String(error);
  return new Refusal(500, 'server_error', message);
}
