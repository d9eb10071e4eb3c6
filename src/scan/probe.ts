import { urlHost } from '../domain/url-host.ts';
import { parseJson } from '../domain/json.ts';
import type { ScannedEndpoint, ScannedServer } from '../domain/scan-report.ts';
import type { ServerDoor } from '../domain/command-line/server-door.ts';
import { answerAt, ModelList } from '../domain/server-answers.ts';
import type { Answers, Identity } from '../domain/server-answers.ts';
import type { Identification } from '../engines/contract.ts';
import type { World } from '../io/world.ts';
import { readPrometheus } from '../stats/prometheus-read.ts';

export interface ProbeResult {
  readonly state: ScannedServer['state'];
  readonly evidence: readonly string[];
  readonly served: readonly string[];
  /** The engine whose answers these are, with what they tell; null when they fit none. */
  readonly engine: string | null;
  readonly identity: Identity | null;
  readonly keyed: boolean | null;
  /** Tokens that it has read and written since it started. */
  readonly tokens: number | null;
}

/** An engine that may be behind a port. */
export interface Candidate {
  readonly kind: string;
  readonly identify?: Identification;
}

/** What every server is asked. */
const basicPaths = ['/health', '/v1/models'];

type Reply =
  | { readonly status: number; readonly json: unknown; readonly text: string }
  | { readonly error: string; readonly certificate: boolean };

const asksForCertificate = 'it asks for a certificate of its clients';

/** Asks one server who it is, all questions side by side; never rejects. */
export async function probe(
  world: World,
  endpoint: ScannedEndpoint,
  options: {
    candidates: readonly Candidate[];
    door: ServerDoor;
    timeoutMs: number;
    signal: AbortSignal;
  },
): Promise<ProbeResult> {
  const { candidates, door, timeoutMs, signal } = options;
  const paths = new Set([
    ...basicPaths,
    ...candidates.flatMap(({ identify }) =>
      [...(identify?.paths ?? []), identify?.counters?.path ?? []].flat(),
    ),
  ]);
  const base = urlOf(endpoint, door);
  const replies = new Map<string, Reply>();
  await Promise.all(
    [...paths].map(async (path) => {
      try {
        const { status, text } = await world.http.request(`${base}${path}`, {
          timeoutMs,
          signal,
          unchecked: true,
        });
        replies.set(path, { status, json: parseJson(text), text });
      } catch (error) {
        replies.set(path, failed(error, door));
      }
    }),
  );
  return judge(replies, { base, candidates });
}

/** A socket on all addresses is asked over loopback; one on a single address, there. */
function urlOf({ address, port }: ScannedEndpoint, { tls, prefix }: ServerDoor): string {
  const near = new Map([
    ['0.0.0.0', '127.0.0.1'],
    ['::', '::1'],
  ]);
  const host = near.get(address) ?? address;
  return `${tls ? 'https' : 'http'}://${urlHost(host)}:${port}${prefix}`;
}

function failed(error: unknown, { mutual }: ServerDoor): Reply {
  const certificate = isRefusal(error as Error, mutual);
  return { certificate, error: certificate ? asksForCertificate : reasonOf(error) };
}

/**
 * What TLS answers to somebody who shows no certificate: one is required (116), or what was shown is no good (42). TLS 1.2 has no
 * word of its own for it: "handshake failure" (40) may be something else.
 */
function isRefusal({ message }: Error, mutual: boolean): boolean {
  const alert = /SSL alert number (\d+)/.exec(message)?.[1];
  return alert === '116' || alert === '42' || (alert === '40' && mutual);
}

function reasonOf(error: unknown): string {
  const { name, code, message } = error as NodeJS.ErrnoException;
  if (name === 'TimeoutError' || name === 'AbortError' || code === 'ABORT_ERR') return 'no answer in time';
  return code ?? message;
}

/** What the replies say; pure. */
function judge(
  replies: ReadonlyMap<string, Reply>,
  about: { base: string; candidates: readonly Candidate[] },
): ProbeResult {
  const statuses = [...replies.values()].flatMap((reply) => ('status' in reply ? [reply.status] : []));
  const answers = new Map(
    [...replies].flatMap(([path, reply]) =>
      'status' in reply && reply.status === 200 ? [[path, reply.json] as const] : [],
    ),
  );
  const models = answerAt(answers, '/v1/models', ModelList);
  const fits = about.candidates.flatMap(({ kind, identify }) => {
    const identity = identify?.read(answers) ?? null;
    return identity ? [{ kind, identity }] : [];
  });
  const [fit] = fits.length > 0 || models ? fits : behindKey(replies, answers, about.candidates);
  const counters = about.candidates.find(({ kind }) => kind === fit?.kind)?.identify?.counters;
  const refused = statuses.some(asksForKey) || shut(replies);
  return {
    state: shut(replies) ? 'answers' : stateOf(replies.get('/health'), statuses),
    evidence: [...replies].map(
      ([path, reply]) => `GET ${about.base}${path}: ${'status' in reply ? reply.status : reply.error}`,
    ),
    served: fit?.identity.served ?? models?.data.map((model) => model.id) ?? [],
    engine: fit?.kind ?? null,
    identity: fit?.identity ?? null,
    keyed: refused ? true : models ? false : null,
    tokens: counters ? countedTokens(replies.get(counters.path), counters.tokens) : null,
  };
}

/** Engines whose own counters are told to everybody, while their models are refused to whoever has no key. */
function behindKey(
  replies: ReadonlyMap<string, Reply>,
  answers: Answers,
  candidates: readonly Candidate[],
): { kind: string; identity: Identity }[] {
  const models = replies.get('/v1/models');
  if (!models || !('status' in models) || !asksForKey(models.status)) return [];
  return candidates.flatMap(({ kind, identify }) => {
    const { counters, readBehindKey } = identify ?? {};
    if (!counters || countedTokens(replies.get(counters.path), counters.tokens) === null) return [];
    const identity = readBehindKey?.(answers) ?? null;
    return identity ? [{ kind, identity }] : [];
  });
}

/** Null unless every series is there: a missing figure is not zero. */
function countedTokens(reply: Reply | undefined, names: readonly string[]): number | null {
  if (!reply || !('status' in reply) || reply.status !== 200) return null;
  const sums = readPrometheus(reply.text);
  const found = names.map((name) => sums.get(name));
  return found.reduce<number | null>((sum, one) => (sum === null || one === undefined ? null : sum + one), 0);
}

/** Nobody without a certificate is answered: it runs all the same, and whoever has none is kept out. */
function shut(replies: ReadonlyMap<string, Reply>): boolean {
  return [...replies.values()].every((reply) => 'certificate' in reply && reply.certificate);
}

function asksForKey(status: number): boolean {
  return status === 401 || status === 403;
}

/** An error page is an answer too, but not one that a server in good health gives to all questions. */
function stateOf(health: Reply | undefined, statuses: readonly number[]): ProbeResult['state'] {
  if (health && 'status' in health && health.status === 503) return 'loading';
  return statuses.some((status) => status < 400 || asksForKey(status)) ? 'answers' : 'silent';
}
