import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { ClusterPlace } from '../domain/host-access.ts';
import type { Clock } from '../io/clock.ts';
import { printable } from '../domain/printable.ts';
import { mostSaid } from '../io/lock.ts';
import type { HostLocks, Lock } from '../io/lock.ts';
import { getObject, Live, refusal } from './client.ts';
import type { Place } from './client.ts';
import { checkChanges } from './lease-guard.ts';
import { listPath, objectPath } from './kinds.ts';
import { ensureNamespace } from './new-namespace.ts';

const kind = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: 'berth' };
const who = 'berth.dev/holder';

/** One that does not renew it so long has died; then whoever comes takes it over. */
const leaseSeconds = 15;
const renewMs = 4_000;
/** So long after a renewal it is known to be held yet, with time left for a change to get there. */
const sureMs = 10_000;

const Lease = Live.extend({
  spec: z.object({
    holderIdentity: z.string().nullish(),
    renewTime: z.string().nullish(),
    leaseDurationSeconds: z.number().nullish(),
  }),
});
type Lease = z.infer<typeof Lease>;

/**
 * The lock of a namespace: a Lease that its holder renews. Each change of it names the version that it was read in, so that
 * of two who take it over at once the cluster refuses one.
 */
export function leaseLocks(
  clock: Clock,
  {
    createNamespace,
    placeOf,
  }: { createNamespace: ClusterPlace['createNamespace']; placeOf: () => Promise<Place> },
): HostLocks {
  let seen = { renewal: '', at: 0 };

  /** By our own clock, since those of two machines differ: it is dead when nothing of it has changed for long. */
  function isDead({ spec }: Lease): boolean {
    if (!spec.holderIdentity) return true;
    const renewal = `${spec.holderIdentity} ${spec.renewTime ?? ''}`;
    if (renewal !== seen.renewal) seen = { renewal, at: clock.now() };
    return clock.now() - seen.at > (spec.leaseDurationSeconds ?? leaseSeconds) * 1000;
  }

  return {
    take: async (_name, info) => {
      const place = await placeOf();
      // Whoever changes something there takes the lock first, so this is where a namespace that is missing is made.
      if (createNamespace) await ensureNamespace(place, createNamespace === true ? {} : createNamespace);
      const mine = { identity: randomUUID(), info };
      const lease = await getObject(place, kind, Lease);
      if (lease && !isDead(lease)) return null;
      return (await tryTake(place, mine, lease)) ? held(clock, place, mine) : null;
    },
    holder: async () => {
      const lease = await getObject(await placeOf(), kind, Lease);
      const text = lease?.metadata.annotations?.[who];
      // One that does not renew it is taken for dead, and loses it.
      return text === undefined ? null : { text: printable(text, mostSaid), lives: true };
    },
  };
}

interface Holder {
  readonly identity: string;
  readonly info: string;
}

async function tryTake(place: Place, mine: Holder, lease: Lease | null): Promise<boolean> {
  const version = lease?.metadata['resourceVersion'];
  const body = leaseOf(mine, typeof version === 'string' ? version : undefined);
  const { status, json } = lease
    ? await place.api.ask('PUT', objectPath(kind, place.namespace, kind.name), { body })
    : await place.api.ask('POST', listPath(kind, place.namespace), { body });
  if (status === 200 || status === 201) return true;
  if (status === 409) return false;
  const { api, namespace } = place;
  if (status === 404) throw new BerthError('KUBE_NAMESPACE_MISSING', { namespace, server: api.server });
  const about = { question: 'take the Lease berth', object: 'the Lease berth', namespace };
  throw refusal(api, { status, json }, about);
}

function leaseOf({ identity, info }: Holder, resourceVersion?: string): Record<string, unknown> {
  // Kubernetes wants microseconds here.
  const now = new Date().toISOString().replace('Z', '000Z');
  return {
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata: {
      name: kind.name,
      labels: { 'app.kubernetes.io/managed-by': 'berth' },
      annotations: { [who]: info },
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: leaseSeconds,
      acquireTime: now,
      renewTime: now,
    },
  };
}

function held(clock: Clock, place: Place, mine: Holder): Lock {
  const { api, namespace } = place;
  let renewedAt = clock.wall().getTime();
  let lost: unknown = null;
  async function keep(): Promise<void> {
    try {
      await renew(place, mine);
      renewedAt = clock.wall().getTime();
    } catch (error) {
      if (error instanceof BerthError && error.code === 'LOCK_LOST') lost = error;
      throw error;
    }
  }
  const timer = setInterval(() => void keep().catch(() => {}), renewMs);
  timer.unref();
  // By the wall clock: no other goes on while a machine sleeps.
  checkChanges(api, namespace, async () => {
    if (Math.abs(clock.wall().getTime() - renewedAt) > sureMs) await keep();
    if (lost !== null) throw lost;
  });
  function release(): void {
    clearInterval(timer);
    checkChanges(api, namespace, null);
    void giveBack(place, mine).catch(() => {});
  }
  return { release, [Symbol.dispose]: release };
}

/** Throws LOCK_LOST where it is another's by now, or is gone. One that ran out and that nobody took is taken up again. */
async function renew(place: Place, mine: Holder): Promise<void> {
  for (;;) {
    const lease = await getObject(place, kind, Lease);
    if (lease?.spec.holderIdentity !== mine.identity) {
      const holder = lease?.metadata.annotations?.[who] ?? null;
      throw new BerthError('LOCK_LOST', { namespace: place.namespace, server: place.api.server, holder });
    }
    // Another writes it at the same moment: then it is looked at again.
    if (await tryTake(place, mine, lease)) return;
  }
}

/** Deleted, so that nothing is left; only while it is ours. */
async function giveBack(place: Place, mine: Holder): Promise<void> {
  const lease = await getObject(place, kind, Lease);
  if (!lease || lease.spec.holderIdentity !== mine.identity) return;
  const { uid } = lease.metadata;
  const resourceVersion = lease.metadata['resourceVersion'];
  await place.api.ask('DELETE', objectPath(kind, place.namespace, kind.name), {
    body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } },
  });
}
