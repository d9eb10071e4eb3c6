import type { CapturedMessage, CapturedRequest } from '../../domain/captured-request.ts';
import type { BodyRead } from '../../io/upstream-pool/types.ts';

/** The beginning of one request and of its reply, while it is under way. */
export interface Capture {
  readonly replyHead: (status: number, headers: readonly string[]) => void;
  readonly replyBody: (read: BodyRead) => void;
  /** Both, as far as they came. */
  readonly messages: () => Pick<CapturedRequest, 'request' | 'reply'>;
}

/** Keeps at most `bodyBytes` of each body, as text; what is cut off is counted. */
export function beginCapture(headers: readonly string[], body: Buffer, bodyBytes: number): Capture {
  const parts: Buffer[] = [];
  let kept = 0;
  let total = 0;
  let reply: { status: number; headers: [string, string][] } | null = null;
  const request: CapturedMessage = {
    headers: redacted(headers),
    body: body.toString('utf8', 0, Math.min(bodyBytes, body.length)),
    bodyBytes: body.length,
  };
  return {
    replyHead: (status, raw) => (reply = { status, headers: redacted(raw) }),
    replyBody: (read) => {
      for (let i = 0; i < read.spanCount; i += 2) {
        const from = read.spans[i] as number;
        const to = read.spans[i + 1] as number;
        total += to - from;
        const room = bodyBytes - kept;
        if (room <= 0) continue;
        // A copy: the read's memory is used again.
        const part = Buffer.from(read.raw.subarray(from, Math.min(to, from + room)));
        parts.push(part);
        kept += part.length;
      }
    },
    messages: () => ({
      request,
      reply: reply && { ...reply, body: Buffer.concat(parts).toString('utf8'), bodyBytes: total },
    }),
  };
}

const secretName = /authorization|auth|key|token|secret|cookie|credential|password|signature|session|jwt/i;
/** In any header: a scheme with its credentials, a key by its usual beginning or a JWT, and one that a URL or a list carries, a password before a host too. */
const secretValue =
  /\b(?:bearer|basic|digest|negotiate)\s+\S|\b(?:sk|pk|hf|gsk|xai|gh[opsu]|glpat|xox[a-z])[-_]\w|\beyJ[\w-]{8}|api[-_]?key|[?&;](?:\w*(?:key|token|secret|sig(?:nature)?|password))=|:\/\/[^\s/@]*:[^\s/@]+@/i;

/** Headers as pairs; values of those that may hold a secret are left out, by name or by what they look like, and rather too many than too few. */
function redacted(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    const isSecret = secretName.test(name) || secretValue.test(value);
    pairs.push([name, isSecret ? '[redacted]' : value]);
  }
  return pairs;
}
