import type { Endpoint } from '../../domain/endpoints.ts';
import { BodyBroken, BodyRefused, BodyTooLarge } from '../../io/http-server/body.ts';
import type { Inbound } from '../../io/http-server/types.ts';
import { ClientGone } from './call.ts';
import type { Call } from './call.ts';
import { badRequest, bodiesFull, bodyTooLarge, endedHere, unsupportedMedia } from '../reply/faults.ts';
import { headerValues } from './header-values.ts';
import { holdsToModel } from './other-models.ts';
import { boundsOf, noBounds, scanBody, scanFormBody } from './request-body.ts';
import type { Bounds, ScannedBody } from './request-body.ts';
import { ScanFault } from './scan.ts';
import type { Snapshot } from '../observe/snapshot.ts';

/**
 * The whole body within the limits, and what is read of it; at once when it has come together with its head, as small
 * ones do. Throws, or rejects with, ApiError 400, 413, 415 or 429, 503 when it is ended meanwhile, or ClientGone.
 */
export function readBody(snapshot: Snapshot, call: Call): ScannedBody | Promise<ScannedBody> {
  const { endpoint, inbound, share } = call;
  const { bodyBytes } = snapshot.config.limits;
  if (!call.exact) checkMedia(inbound, endpoint);
  const whole = inbound.wholeBody(bodyBytes, share);
  if (whole) return scanned(whole, snapshot, call);
  const bounds = { fits: (size: number) => share.fits(size), take: (size: number) => share.take(size) };
  const coming = inbound.body(bodyBytes, bounds).then(
    (bytes) => {
      call.readAt = performance.now();
      return scanned(bytes, snapshot, call);
    },
    (error: unknown) => {
      if (error instanceof BodyTooLarge) throw bodyTooLarge(bodyBytes);
      if (error instanceof BodyRefused) throw bodiesFull(1 + Math.floor(Math.random() * 3));
      if (error instanceof BodyBroken) throw new ClientGone();
      throw error;
    },
  );
  return Promise.race([coming, endOf(call)]).finally(() => (call.phase = null));
}

/** Rejects once somebody else than its client ends the request, which need not send the rest to be told so. */
function endOf(call: Call): Promise<never> {
  return new Promise((_, reject) => {
    call.phase = {
      leave: () => {
        const { cancelled } = call.trail;
        if (cancelled && !call.gone) reject(endedHere(cancelled));
      },
      tell: () => 'reading',
    };
  });
}

function scanned(bytes: Buffer, snapshot: Snapshot, call: Call): ScannedBody {
  const { endpoint, exact, inbound } = call;
  try {
    if (exact) return unread(bytes, exact.model, snapshot.readsMaxTokens ? boundsIn(bytes, call) : noBounds);
    return endpoint.body === 'form'
      ? scanFormBody(bytes, inbound.header('content-type'))
      : scanBody(bytes, {
          usage: endpoint.usageInStream,
          maxTokens: snapshot.readsMaxTokens,
          dialect: endpoint.dialect,
          fallbacks: holdsToModel(call.caller, snapshot),
        });
  } catch (error) {
    if (error instanceof ScanFault) throw badRequest(error.message, null, `invalid_${endpoint.body}`);
    throw error;
  }
}

/** Passed on as it is: the path has named the model. */
function unread(bytes: Buffer, model: string, { maxTokens, answers }: Bounds): ScannedBody {
  const written = JSON.stringify;
  const unknown = { modelSpan: null, usageSplice: null, fallbackKey: null };
  return { bytes, model, written, stream: false, maxTokens, answers, ...unknown };
}

/** What its limits reserve. An answer whose length the gateway could not read would go past them. Throws ApiError 415, ScanFault. */
function boundsIn(bytes: Buffer, { countedAs, endpoint, inbound }: Call): Bounds {
  if (countedAs === endpoint || countedAs.body === 'form' || bytes.length === 0) return noBounds;
  checkMedia(inbound, countedAs);
  return boundsOf(bytes, countedAs.dialect);
}

/** What we read must be what the engine reads: plain UTF-8 bytes, and of a form one boundary. */
function checkMedia(inbound: Inbound, { body }: Endpoint): void {
  const encoding = inbound.header('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw unsupportedMedia('Send the body without Content-Encoding.');
  const type = inbound.header('content-type') ?? '';
  if (type === 'application/json') return;
  const charset = /charset="?([^";\s]+)/i.exec(type)?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) throw unsupportedMedia('Send the body as UTF-8.');
  if (body === 'form' && headerValues(inbound.rawHeaders, 'content-type').length > 1)
    throw unsupportedMedia('Send one Content-Type.');
}
