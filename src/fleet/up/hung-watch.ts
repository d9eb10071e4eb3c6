import type { Instance, Mark } from '../../domain/instance.ts';
import type { LiveRequests } from '../../domain/live-request.ts';
import type { HttpReply } from '../../io/http.ts';
import type { World } from '../../io/world.ts';
import { readPrometheus } from '../../stats/prometheus-read.ts';
import { engineHeaders } from '../apply/engine-key.ts';
import { urlOf } from '../apply/ready.ts';
import { afterSight, hangs } from './silence.ts';
import type { Patience, Silence } from './silence.ts';

export interface HungPorts {
  /** Null: this deployment is not watched for it. */
  readonly patience: (deployment: string) => Patience | null;
  /** What is under way in the gateway; null where none runs. Rejects when it does not tell. */
  readonly requests: () => Promise<LiveRequests | null>;
  /** What the gateway calls this engine. */
  readonly idOf: (mark: Mark) => string;
}

type Own = Instance & { readonly mark: Mark };

interface Watched {
  /** Which start of which object: one that was started again begins anew. */
  readonly start: string;
  askedAt: number;
  asking: boolean;
  /** It has answered since this start. */
  known: boolean;
  silence: Silence | null;
  busy: boolean;
  /** Tokens by its own count, and pieces of each of its streams. */
  tokens: number | null;
  pieces: ReadonlyMap<string, number>;
}

/** Knows which engines run and hang. `look` starts questions that are due and waits for none: one that hangs answers late. */
export interface HungWatch {
  readonly look: (engines: readonly Own[]) => void;
  readonly hung: (engines: readonly Own[]) => Own[];
}

const everyMs = 5_000;
const answerMs = 5_000;

export function createHungWatch(world: World, ports: HungPorts): HungWatch {
  const watched = new Map<string, Watched>();

  return {
    look: (engines) => {
      const now = world.clock.now();
      for (const name of watched.keys())
        if (!engines.some((one) => one.object.id === name)) watched.delete(name);
      for (const one of engines) {
        const patience = ports.patience(one.mark.deployment);
        if (!patience) {
          watched.delete(one.object.id);
          continue;
        }
        const state = stateOf(watched, one);
        if (state.asking || now - state.askedAt < Math.min(everyMs, patience.idleMs / 4)) continue;
        state.asking = true;
        state.askedAt = now;
        void see(world, ports, one, { state, timeoutMs: Math.min(answerMs, patience.idleMs) })
          .catch(() => {})
          .finally(() => (state.asking = false));
      }
    },
    hung: (engines) =>
      engines.filter((one) => {
        const state = watched.get(one.object.id);
        const patience = ports.patience(one.mark.deployment);
        if (!state || !patience || !(state.known || startIsOver(world, one))) return false;
        return hangs(state.silence, state, patience, world.clock.now());
      }),
  };
}

function stateOf(watched: Map<string, Watched>, { object, process, startedAt }: Own): Watched {
  const start = process ? `${process.pid} ${process.startTicks}` : String(startedAt);
  const known = watched.get(object.id);
  if (known?.start === start) return known;
  const fresh = {
    start,
    askedAt: -Infinity,
    asking: false,
    known: false,
    silence: null,
    busy: false,
    tokens: null,
    pieces: new Map<string, number>(),
  };
  watched.set(object.id, fresh);
  return fresh;
}

/** What still loads its model is given the time it was promised. */
function startIsOver(world: World, { mark, startedAt }: Own): boolean {
  const age = world.clock.wall().getTime() - Date.parse(startedAt ?? '');
  return age >= mark.spec.readiness.startTimeoutMs;
}

/** The readiness path alone: a completion would wait behind the prompts of others. */
async function see(
  world: World,
  ports: HungPorts,
  { mark }: Own,
  { state, timeoutMs }: { state: Watched; timeoutMs: number },
): Promise<void> {
  const status = await ask(world, mark, mark.spec.readiness.path, timeoutMs).then(
    (reply) => reply.status,
    () => null,
  );
  // A path that it does not have is an answer as well.
  if (status !== null && status < 500) {
    state.known = true;
    state.silence = null;
    return;
  }
  const [own, live] = await Promise.all([
    ownFigures(world, mark, timeoutMs),
    ports.requests().catch(() => 'untold' as const),
  ]);
  const id = ports.idOf(mark);
  const listed = live === null || live === 'untold' ? [] : live.requests;
  const mine = listed.filter(({ instance }) => instance === id);
  const flows = mine.some((one) => one.pieces > (state.pieces.get(one.id) ?? 0));
  const counts = own?.tokens !== null && state.tokens !== null && (own?.tokens ?? 0) > state.tokens;
  state.pieces = new Map(mine.map((one) => [one.id, one.pieces]));
  state.tokens = own?.tokens ?? state.tokens;
  // Of a list that was cut, the rest may be its own, and so may those of a gateway that is too busy to tell.
  const unseen = live === 'untold' || (live !== null && live.total > listed.length);
  state.busy = mine.length > 0 || unseen || (own?.running ?? 0) > 0;
  const sight = { answers: false, moves: flows || counts, busy: state.busy };
  state.silence = afterSight(state.silence, sight, world.clock.now());
}

/** What it tells of itself although it is not ready; null for nothing. */
async function ownFigures(
  world: World,
  mark: Mark,
  timeoutMs: number,
): Promise<{ tokens: number | null; running: number | null } | null> {
  const path = mark.spec.metricsPath;
  const reply = path === null ? null : await ask(world, mark, path, timeoutMs).catch(() => null);
  if (reply?.status !== 200) return null;
  const sums = readPrometheus(reply.text);
  const counted = [...sums].filter(([name]) => /^(vllm|llamacpp):\w*tokens\w*_total$/.test(name));
  return {
    tokens: counted.length === 0 ? null : counted.reduce((sum, [, value]) => sum + value, 0),
    running: sums.get('vllm:num_requests_running') ?? sums.get('llamacpp:requests_processing') ?? null,
  };
}

async function ask(world: World, mark: Mark, path: string, timeoutMs: number): Promise<HttpReply> {
  const headers = await engineHeaders(world, mark);
  return await world.http.request(urlOf(mark) + path, { headers, timeoutMs });
}
