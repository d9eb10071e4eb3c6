import { ApiError } from '../../domain/openai.ts';
import type { Inbound } from '../../io/http-server/types.ts';
import { headerValues } from '../front/header-values.ts';
import { modelIn, scanFormBody } from '../front/request-body.ts';
import { isFallbackField } from '../front/fallback-keys.ts';
import { ScanFault } from '../front/scan.ts';
import { decoded, withoutQuery } from './upstream-path.ts';
import type { Exact } from './upstream-path.ts';

/** Where Triton and KServe compute with one. */
const inPath =
  /^\/(?:v2\/models\/([^/]+)(?:\/versions\/[^/]+)?\/(?:infer|generate|generate_stream)|v1\/models\/([^/:]+)(?:\/(?:versions|labels)\/[^/:]+)?:\w+)$/;

/**
 * Models that a request names which goes to an engine as it is: in its query, as llama-server's router takes it, in its path and in its
 * body. Null where an engine may read a body that is not read here. Pure.
 */
export function namedModels(
  { target }: Exact,
  inbound: Pick<Inbound, 'header' | 'rawHeaders'>,
  body: Buffer,
): readonly string[] | null {
  const path = withoutQuery(target);
  // Some servers take a semicolon for the end of a parameter.
  const names = new URLSearchParams(target.slice(path.length).replaceAll(';', '&')).getAll('model');
  const found = inPath.exec(path);
  const named = found?.[1] ?? found?.[2];
  if (named !== undefined) names.push(decoded([named]));
  if (body.length === 0) return names;
  const encoding = inbound.header('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') return null;
  try {
    const model = inBody(contentType(inbound), body);
    return model === null ? names : [...names, model];
  } catch (error) {
    if (error instanceof ScanFault || error instanceof ApiError) return null;
    throw error;
  }
}

/** The one that there is. Throws ScanFault: engines disagree on which of several counts. */
function contentType({ rawHeaders }: Pick<Inbound, 'rawHeaders'>): string {
  const types = headerValues(rawHeaders, 'content-type');
  if (types.length > 1) throw new ScanFault('It has several types.');
  return types[0] ?? '';
}

/** Engines go by the header for a form, and take everything else for JSON. Throws ScanFault, ApiError 400. */
function inBody(type: string, body: Buffer): string | null {
  if (/^\s*multipart\//i.test(type)) {
    const form = scanFormBody(body, type);
    if (form.fallbackKey !== null) throw new ScanFault('It names other models, too.');
    return form.model;
  }
  // As `curl -d` calls JSON, too, which some servers then take for a form all the same.
  if (/form/i.test(type) && mayNameAsForm(body)) throw new ScanFault('It is a form and JSON at once.');
  return modelIn(body);
}

/** Larger ones are not taken apart for it. */
const mostForm = 64 * 1024;

/** Of JSON: a brace begins its first field, which is none of these. */
function mayNameAsForm(body: Buffer): boolean {
  if (!body.includes('&') && !body.includes(';')) return false;
  if (body.length > mostForm) return true;
  const names = [...new URLSearchParams(body.toString('latin1').replaceAll(';', '&')).keys()];
  return names.some((name) => name === 'model' || isFallbackField(name));
}
