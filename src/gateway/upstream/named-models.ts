import { ApiError } from '../../domain/openai.ts';
import type { Inbound } from '../../io/http-server/types.ts';
import { modelIn, scanFormBody } from '../front/request-body.ts';
import { fallbackKeyIn } from '../front/other-models.ts';
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
  inbound: Pick<Inbound, 'header'>,
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
    const model = inBody(inbound.header('content-type'), body);
    return model === null ? names : [...names, model];
  } catch (error) {
    if (error instanceof ScanFault || error instanceof ApiError) return null;
    throw error;
  }
}

/** Engines go by the header for a form, and take everything else for JSON. Throws ScanFault, ApiError 400. */
function inBody(type: string | undefined, body: Buffer): string | null {
  if (/^\s*multipart\//i.test(type ?? '')) return scanFormBody(body, type).model;
  if (fallbackKeyIn(body) !== null) throw new ScanFault('It names other models, too.');
  return modelIn(body);
}
