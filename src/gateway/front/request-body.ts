import { badRequest } from '../reply/faults.ts';
import { scanForm } from './scan-form.ts';
import { scanObject } from './scan.ts';
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
  /** The client's own bound on the answer; null when there is none, or when it was not looked for. */
  readonly maxTokens: number | null;
  /** Where and what to write so that the engine reports usage at the end of the stream; null when it does so anyway. */
  readonly usageSplice: Splice | null;
}

export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

const wanted = ['model', 'stream', 'stream_options'];
/** Every API has its own name for the bound on the answer; where several stand, the first of these counts. */
const maxTokenKeys = ['max_completion_tokens', 'max_output_tokens', 'max_tokens'];
const wantedWithTokens = [...wanted, ...maxTokenKeys];

/** Throws ApiError 400 when what names the model is no name, ScanFault when the body is no JSON object. */
export function scanBody(bytes: Buffer, options: { usage: boolean; maxTokens: boolean }): ScannedBody {
  const found = scanObject(bytes, options.maxTokens ? wantedWithTokens : wanted);
  const modelSpan = found.get('model') ?? null;
  const model = modelSpan && nameOf(parseSpan(bytes, modelSpan));
  const streamSpan = found.get('stream');
  // Of the values that the scan lets pass, only `true` begins so.
  const stream = streamSpan !== undefined && bytes[streamSpan.start] === 116;
  const usageSplice =
    stream && options.usage && streamSpan
      ? askForUsage(bytes, streamSpan, found.get('stream_options'))
      : null;
  const maxTokens = options.maxTokens ? maxTokensOf(bytes, found) : null;
  return { bytes, model, modelSpan, written: JSON.stringify, stream, maxTokens, usageSplice };
}

/** The stored response that a request goes on from; null when it names none. */
export function previousResponseOf(bytes: Buffer): string | null {
  const span = scanObject(bytes, ['previous_response_id']).get('previous_response_id');
  const value = span ? parseSpan(bytes, span) : null;
  return typeof value === 'string' ? value : null;
}

/** What is no count is for the engine to judge. */
function maxTokensOf(bytes: Buffer, found: ReadonlyMap<string, Span>): number | null {
  for (const key of maxTokenKeys) {
    const span = found.get(key);
    const value = span ? Number(bytes.toString('latin1', span.start, span.end)) : Number.NaN;
    if (Number.isSafeInteger(value) && value > 0) return value;
  }
  return null;
}

/** The same for a multipart form, whose field "model" holds the bare name. */
export function scanFormBody(bytes: Buffer, contentType: string | undefined): ScannedBody {
  const modelSpan = scanForm(bytes, contentType, 'model');
  const model = modelSpan && nameOf(bytes.toString('utf8', modelSpan.start, modelSpan.end));
  return {
    bytes,
    model,
    modelSpan,
    written: (name) => name,
    stream: false,
    maxTokens: null,
    usageSplice: null,
  };
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
function askForUsage(bytes: Buffer, stream: Span, options: Span | undefined): Splice | null {
  if (!options) return insert(stream.end, ',"stream_options":{"include_usage":true}');
  if (bytes[options.start] !== 123) {
    const isNull = bytes.toString('latin1', options.start, options.end) === 'null';
    return isNull ? { ...options, bytes: Buffer.from('{"include_usage":true}') } : null;
  }
  const inner = bytes.subarray(options.start, options.end);
  const found = scanObject(inner, ['include_usage']).get('include_usage');
  if (found) {
    if (inner.toString('latin1', found.start, found.end) === 'true') return null;
    return { start: options.start + found.start, end: options.start + found.end, bytes: Buffer.from('true') };
  }
  const isEmpty = /^\{\s*\}$/.test(inner.toString('latin1'));
  return insert(options.start + 1, `"include_usage":true${isEmpty ? '' : ','}`);
}

function insert(at: number, text: string): Splice {
  return { start: at, end: at, bytes: Buffer.from(text) };
}

/**
 * The body in parts: the client's own bytes, but for the model's name (when the engine wants another) and the request
 * for usage. Nothing is parsed and written again, so unknown fields, big numbers and their order survive.
 */
export function spliceBody(body: ScannedBody, model: string | null): Buffer[] {
  const splices: Splice[] = [];
  if (model !== null && model !== body.model && body.modelSpan) {
    const { start, end } = body.modelSpan;
    splices.push({ start, end, bytes: Buffer.from(body.written(model)) });
  }
  if (body.usageSplice) splices.push(body.usageSplice);
  if (splices.length === 0) return [body.bytes];
  splices.sort((a, b) => a.start - b.start);
  const parts: Buffer[] = [];
  let at = 0;
  for (const splice of splices) {
    parts.push(body.bytes.subarray(at, splice.start), splice.bytes);
    at = splice.end;
  }
  parts.push(body.bytes.subarray(at));
  return parts;
}
