import type { Endpoint } from '../../domain/endpoints.ts';
import type { Upstream } from '../../domain/gateway-config.ts';
import { badRequest } from '../reply/faults.ts';
import { knownText } from './known-text.ts';
import { fallbackKeys, isFallbackField, namesModels } from './fallback-keys.ts';
import { scanForm } from './scan-form.ts';
import { countPrompts, ScanFault, scanInto, scanObject } from './scan.ts';
import type { Span } from './scan.ts';

/** What the gateway reads of a request body; everything else is the engine's. */
export interface ScannedBody {
  readonly bytes: Buffer;
  /** Null when the body names none. */
  readonly model: string | null;
  readonly modelSpan: Span | null;
  /** A model's name as this kind of body writes it. */
  readonly written: (model: string) => string;
  readonly stream: boolean;
  /** The client's own bound on each answer; null when there is none, or when it was not looked for. */
  readonly maxTokens: number | null;
  /** How many answers it asks for; 1 when that was not looked for. */
  readonly answers: number;
  /** Where and what to write so that the engine reports usage at the end of the stream; null when it does so anyway. */
  readonly usageSplice: Splice | null;
  /** Where it names other models that may answer in place of this one; null when it does not, or when that was not looked for. */
  readonly fallbackKey: string | null;
}

export interface Splice {
  readonly start: number;
  readonly end: number;
  /** A character for each byte that is written there. */
  readonly latin1: string;
}

const wanted = ['model', 'stream', 'stream_options'];
/** Every API has its own name for the bound on the answer; where several stand, engines disagree on which one counts: the largest does. */
const maxTokenKeys = ['max_completion_tokens', 'max_output_tokens', 'max_tokens', 'n_predict'];
/** How many answers each prompt gets, in the words of OpenAI's API and of llama.cpp. */
const answerKeys = ['n', 'best_of', 'n_cmpl'];
const boundKeys = [...maxTokenKeys, ...answerKeys, 'prompt'];
/** Where these begin among the bounds; from the first on keys are some engines' alone. */
const laxAt = maxTokenKeys.indexOf('n_predict');
const answersAt = maxTokenKeys.length;
const promptAt = answersAt + answerKeys.length;

/** What is looked for in one pass over a body. */
interface Look {
  readonly keys: readonly string[];
  readonly lax: number;
  /** Where the values lie in the body that is read now. */
  readonly spans: Int32Array;
  readonly fallbacksAt: number | null;
  readonly boundsAt: number | null;
}

function lookFor(fallbacks: boolean, bounds: boolean): Look {
  const before = [...wanted, ...(fallbacks ? fallbackKeys : [])];
  const keys = [...before, ...(bounds ? boundKeys : [])];
  return {
    keys,
    lax: bounds ? before.length + laxAt : keys.length,
    spans: new Int32Array(2 * keys.length),
    fallbacksAt: fallbacks ? wanted.length : null,
    boundsAt: bounds ? before.length : null,
  };
}

const plainLook = lookFor(false, false);
const boundsLook = lookFor(false, true);
const fallbacksLook = lookFor(true, false);
const wholeLook = lookFor(true, true);

interface Asked {
  /** Limits want them. */
  readonly maxTokens: boolean;
  /** Whose names these have. */
  readonly dialect: Endpoint['dialect'];
  /** The body is to name one model alone. */
  readonly fallbacks: boolean;
  readonly usage: boolean;
}

/** Throws ApiError 400 when what names the model is no name or "stream" neither true, false nor null, ScanFault when the body is no JSON object. */
export function scanBody(bytes: Buffer, options: Asked): ScannedBody {
  const look = lookOf(options);
  const found = look.spans;
  scanInto(found, bytes, look.keys, look.lax);
  const modelSpan = spanAt(found, 0);
  const model = modelSpan && nameIn(bytes, modelSpan);
  const streamSpan = spanAt(found, 1);
  const stream = streamSpan !== null && isTrue(bytes, streamSpan);
  const usageSplice =
    stream && options.usage && streamSpan ? askForUsage(bytes, streamSpan, spanAt(found, 2)) : null;
  const { maxTokens, answers } = boundsIn(bytes, look, options.dialect);
  const fallbackKey = fallbackIn(bytes, look);
  return {
    bytes,
    model,
    modelSpan,
    written: JSON.stringify,
    stream,
    maxTokens,
    answers,
    usageSplice,
    fallbackKey,
  };
}

function lookOf({ fallbacks, maxTokens }: Asked): Look {
  if (fallbacks) return maxTokens ? wholeLook : fallbacksLook;
  return maxTokens ? boundsLook : plainLook;
}

function fallbackIn(bytes: Buffer, { spans, fallbacksAt }: Look): string | null {
  if (fallbacksAt === null) return null;
  for (let i = 0; i < fallbackKeys.length; i += 1) {
    const start = spans[2 * (fallbacksAt + i)] as number;
    if (start < 0) continue;
    const end = spans[2 * (fallbacksAt + i) + 1] as number;
    const key = fallbackKeys[i] as string;
    if (namesModels(key, bytes, start, end)) return key;
  }
  return null;
}

/** How long and how many its answers may become. */
export type Bounds = Pick<ScannedBody, 'maxTokens' | 'answers'>;

export const noBounds: Bounds = { maxTokens: null, answers: 1 };

/** The same of a body of which nothing else is read. Throws ScanFault when it is no JSON object. */
export function boundsOf(bytes: Buffer, dialect: Endpoint['dialect']): Bounds {
  scanInto(boundsLook.spans, bytes, boundsLook.keys, boundsLook.lax);
  return boundsIn(bytes, boundsLook, dialect);
}

/** One request has one answer in the APIs that are not OpenAI's first. */
function boundsIn(bytes: Buffer, { spans, boundsAt }: Look, dialect: Endpoint['dialect']): Bounds {
  if (boundsAt === null) return noBounds;
  const maxTokens = largest(bytes, spans, boundsAt, boundsAt + answersAt);
  return { maxTokens, answers: dialect === 'openai' ? answersOf(bytes, spans, boundsAt) : 1 };
}

/** An engine that takes 1 or "true" for true would stream to a client whose stream is not counted as one. */
function isTrue(bytes: Buffer, { start }: Span): boolean {
  // Of the values that the scan lets pass, only the three words begin so.
  const first = bytes[start];
  if (first === 116) return true;
  if (first !== 102 && first !== 110)
    throw badRequest('"stream" must be true or false.', 'stream', 'stream_invalid');
  return false;
}

function spanAt(found: Int32Array, i: number): Span | null {
  const start = found[2 * i] as number;
  return start < 0 ? null : { start, end: found[2 * i + 1] as number };
}

const responseId = /^[\w-]{1,256}$/;

/** The stored response that a request goes on from; null when it names none. Throws ScanFault, ApiError 400. */
export function previousResponseOf(bytes: Buffer): string | null {
  const span = scanObject(bytes, ['previous_response_id']).get('previous_response_id');
  const value = span ? parseSpan(bytes, span) : null;
  return typeof value === 'string' && responseId.test(value) ? value : null;
}

/** Of the wanted values from one place to another; null when none is a count: that is for the engine to judge. */
function largest(bytes: Buffer, found: Int32Array, from: number, to: number): number | null {
  let most: number | null = null;
  for (let i = from; i < to; i += 1) {
    const start = found[2 * i] as number;
    const value = start < 0 ? Number.NaN : numberIn(bytes, start, found[2 * i + 1] as number);
    if (Number.isSafeInteger(value) && value > (most ?? 0)) most = value;
  }
  return most;
}

/** Each prompt of a list is answered, and each as often as is asked for. */
function answersOf(bytes: Buffer, found: Int32Array, boundsAt: number): number {
  const prompt = spanAt(found, boundsAt + promptAt);
  const prompts = prompt === null ? 1 : countPrompts(bytes, prompt);
  return Math.max(1, prompts) * (largest(bytes, found, boundsAt + answersAt, boundsAt + promptAt) ?? 1);
}

/** Of a few digits, as most bounds are, no text is made. */
function numberIn(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const digit = (bytes[at] as number) - 48;
    if (digit < 0 || digit > 9 || end - start > 9) return Number(bytes.toString('latin1', start, end));
    value = value * 10 + digit;
  }
  return value;
}

/** The same for a multipart form, whose field "model" holds the bare name. */
export function scanFormBody(bytes: Buffer, contentType: string | undefined): ScannedBody {
  let fallbackKey: string | null = null;
  const modelSpan = scanForm(bytes, contentType, 'model', (name) => {
    if (isFallbackField(name)) fallbackKey = name;
  });
  const model = modelSpan && nameOf(bytes.toString('utf8', modelSpan.start, modelSpan.end));
  return {
    bytes,
    model,
    modelSpan,
    written: (name) => name,
    stream: false,
    maxTokens: null,
    answers: 1,
    usageSplice: null,
    fallbackKey,
  };
}

const modelAndFallbacks = ['model', ...fallbackKeys];

/** The model that a JSON object names, of which little else is read. Throws ScanFault, also where it names others, and ApiError 400. */
export function modelIn(bytes: Buffer): string | null {
  const found = scanObject(bytes, modelAndFallbacks);
  for (const key of fallbackKeys) {
    const other = found.get(key);
    if (other && namesModels(key, bytes, other.start, other.end))
      throw new ScanFault('It names other models, too.');
  }
  const span = found.get('model');
  return span ? nameIn(bytes, span) : null;
}

function nameIn(bytes: Buffer, span: Span): string {
  const { start, end } = span;
  if (isPlainString(bytes, span) && end - start > 2) return knownText(bytes, start + 1, end - 1);
  return nameOf(parseSpan(bytes, span));
}

function nameOf(model: unknown): string {
  if (typeof model !== 'string' || model === '')
    throw badRequest('"model" must be a string that is not empty.', 'model', 'model_invalid');
  return model;
}

function parseSpan(bytes: Buffer, span: Span): unknown {
  if (isPlainString(bytes, span)) return bytes.toString('latin1', span.start + 1, span.end - 1);
  try {
    return JSON.parse(bytes.toString('utf8', span.start, span.end));
  } catch {
    throw badRequest('The body is not valid JSON.', null, 'invalid_json');
  }
}

/** In quotes, of visible ASCII without escapes: it stands for itself. */
function isPlainString(bytes: Buffer, { start, end }: Span): boolean {
  if (bytes[start] !== 34 || bytes[end - 1] !== 34 || end - start < 2) return false;
  for (let at = start + 1; at < end - 1; at += 1) {
    const byte = bytes[at] as number;
    if (byte < 32 || byte > 126 || byte === 34 || byte === 92) return false;
  }
  return true;
}

/** The smallest edit that turns `stream_options.include_usage` on; null when the client has done so. */
function askForUsage(bytes: Buffer, stream: Span, options: Span | null): Splice | null {
  if (!options) return insert(stream.end, ',"stream_options":{"include_usage":true}');
  if (bytes[options.start] !== 123) {
    const isNull = bytes.toString('latin1', options.start, options.end) === 'null';
    return isNull ? { ...options, latin1: '{"include_usage":true}' } : null;
  }
  const inner = bytes.subarray(options.start, options.end);
  const found = scanObject(inner, ['include_usage']).get('include_usage');
  if (found) {
    if (inner.toString('latin1', found.start, found.end) === 'true') return null;
    return { start: options.start + found.start, end: options.start + found.end, latin1: 'true' };
  }
  const isEmpty = /^\{\s*\}$/.test(inner.toString('latin1'));
  return insert(options.start + 1, `"include_usage":true${isEmpty ? '' : ','}`);
}

function insert(at: number, latin1: string): Splice {
  return { start: at, end: at, latin1 };
}

/** Up to this size a body is sent as text that joins its head: cheaper than a second piece for the kernel. */
const mostText = 16 * 1024;

/**
 * The body in parts, text of them in latin1: the client's own bytes, but for the model's name (when the engine wants
 * another) and the request for usage, of engines that take one. Nothing is parsed and written again, so unknown fields, big numbers and their order survive.
 */
export function spliceBody(
  body: ScannedBody,
  { model, streamUsage }: Pick<Upstream, 'model' | 'streamUsage'>,
): (Buffer | string)[] {
  const { bytes, usageSplice } = body;
  const named = modelSplice(body, model);
  const [first, second] = inOrder(named, streamUsage === false ? null : usageSplice);
  if (bytes.length > mostText) return pieces(bytes, first, second);
  let text = bytes.toString('latin1');
  // The later one first: it moves nothing of what stands before it.
  if (second) text = spliced(text, second);
  if (first) text = spliced(text, first);
  return [text];
}

function inOrder(one: Splice | null, other: Splice | null): [Splice | null, Splice | null] {
  if (one === null) return [other, null];
  return other !== null && other.start < one.start ? [other, one] : [one, other];
}

function modelSplice({ modelSpan, model, written }: ScannedBody, wantedModel: string | null): Splice | null {
  if (wantedModel === null || wantedModel === model || !modelSpan) return null;
  const text = written(wantedModel);
  const latin1 = isAscii.test(text) ? text : Buffer.from(text).toString('latin1');
  return { start: modelSpan.start, end: modelSpan.end, latin1 };
}

const isAscii = /^[\x20-\x7e]*$/;

function spliced(text: string, { start, end, latin1 }: Splice): string {
  return text.slice(0, start) + latin1 + text.slice(end);
}

function pieces(bytes: Buffer, ...splices: (Splice | null)[]): (Buffer | string)[] {
  const parts: (Buffer | string)[] = [];
  let at = 0;
  for (const splice of splices) {
    if (!splice) continue;
    parts.push(bytes.subarray(at, splice.start), splice.latin1);
    at = splice.end;
  }
  parts.push(bytes.subarray(at));
  return parts;
}
