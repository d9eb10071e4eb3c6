import { BerthError } from '../../domain/errors/berth-error.ts';
import type { GatewayConfig } from '../../domain/gateway-config.ts';
import { longestTimerMs } from '../../io/clock.ts';
import { serve } from '../../io/http-server/serve.ts';
import type { TlsMaterial } from '../../io/tls/material.ts';
import type { ServerLimits } from '../../io/http-server/limits.ts';
import type { Handler, Inbound, Listening, Refuser } from '../../io/http-server/types.ts';

type Address = GatewayConfig['listen'][number];

/** An address and what is shown there; null for plain HTTP. Nothing but a certificate can be replaced at an open door. */
export interface DoorWish extends Address {
  readonly tls: TlsMaterial | null;
}

interface Door {
  /** As the config has it; port 0 stands for any free one. */
  readonly asked: DoorWish;
  readonly server: Listening;
  /** What it serves until it is closed, or what is asked from now on is told that it comes too late. */
  handler: Handler;
}

/** Clients get that long to take the last word of a reply that had to end. */
const lastWordMs = 1000;

export interface Handlers {
  readonly outside: Handler;
  /** For addresses that are berth's own. */
  readonly inside: Handler;
  /** For requests that begin at an address when its time is up. */
  readonly late: Handler;
  /** The time is up of an address that closes: what is under way there is to be told so, and has a second to be so. */
  readonly onTimeUp: (isThere: (inbound: Inbound) => boolean) => void;
  /** For what is no request that a handler could serve. */
  readonly refuser: Refuser;
  readonly limits: ServerLimits;
  /** Told of each connection that is cut since its client reads nothing. */
  readonly onUnread: () => void;
}

/** The addresses that the gateway listens on. */
export interface Doors {
  readonly bound: () => readonly (Address & { readonly tls: boolean })[];
  /**
   * Opens what is new, has `commit` do the rest of the change, then closes what is gone: its connections end when their
   * requests are served, which are ended after `graceMs` (`onTimeUp`). Rejects with PORT_TAKEN, or as `commit` does, with the old addresses open.
   */
  readonly change: (
    listen: readonly DoorWish[],
    graceMs: number,
    commit: () => Promise<void>,
  ) => Promise<void>;
  /** New connections get this certificate. */
  readonly renewTls: (material: TlsMaterial) => void;
  /** Closes all in that manner, also those that were to have more time. Resolves when the last connection is gone. */
  readonly close: (graceMs: number) => Promise<void>;
}

/** Opens all or none. Rejects with PORT_TAKEN. */
export async function openDoors(listen: readonly DoorWish[], handlers: Handlers): Promise<Doors> {
  let doors = await openAll(listen, handlers);
  const leaving = createLeaving(handlers);

  function renewTls(material: TlsMaterial): void {
    for (const { asked, server } of doors) if (asked.tls) server.renewTls(material);
  }

  async function change(
    next: readonly DoorWish[],
    graceMs: number,
    commit: () => Promise<void>,
  ): Promise<void> {
    const gone = doors.filter(({ asked }) => !next.some((one) => same(one, asked)));
    const stay = doors.filter((door) => !gone.includes(door));
    const wanted = next.filter((one) => !stay.some(({ asked }) => same(one, asked)));
    // One address may cover another, as 0.0.0.0 does: on one port the old one has to make room first.
    const inTheWay = gone.filter(({ server }) => wanted.some((one) => one.port === server.port));
    leaving.shut(inTheWay, graceMs);
    let opened: readonly Door[] = [];
    try {
      opened = await openAll(wanted, handlers);
      await commit();
    } catch (error) {
      await Promise.all(opened.map(({ server }) => server.close(0)));
      doors = doors.filter((door) => !inTheWay.includes(door));
      const again = inTheWay.map(({ asked }) => asked);
      doors = [...doors, ...(await openAll(again, handlers))];
      throw error;
    }
    doors = [...stay, ...opened];
    const material = next.find((one) => one.tls)?.tls;
    if (material) renewTls(material);
    leaving.shut(
      gone.filter((door) => !inTheWay.includes(door)),
      graceMs,
    );
  }

  return {
    bound: () =>
      doors.map(({ asked, server: { address, port } }) => ({
        address,
        port,
        tls: asked.tls !== null,
        ...(asked.inside ? { inside: true } : {}),
      })),
    renewTls,
    change,
    close: async (graceMs) => {
      leaving.shut([...doors, ...leaving.doors()], graceMs);
      await leaving.gone();
    },
  };
}

/** Doors that close, each in its time. */
function createLeaving({ late, onTimeUp }: Handlers): {
  readonly shut: (gone: readonly Door[], graceMs: number) => void;
  readonly doors: () => readonly Door[];
  /** Resolves when none is left of those that close now. */
  readonly gone: () => Promise<void>;
} {
  const closings = new Map<Door, Promise<void>>();
  async function shut(door: Door, wantedMs: number): Promise<void> {
    const { server } = door;
    const graceMs = Math.min(wantedMs, longestTimerMs - lastWordMs);
    const timer = setTimeout(() => {
      door.handler = late;
      onTimeUp(server.serves);
    }, graceMs);
    await server.close(graceMs + lastWordMs);
    clearTimeout(timer);
    closings.delete(door);
  }
  return {
    shut: (gone, graceMs) => {
      for (const door of gone) closings.set(door, shut(door, graceMs));
    },
    doors: () => [...closings.keys()],
    gone: async () => {
      await Promise.all(closings.values());
    },
  };
}

async function openAll(listen: readonly DoorWish[], handlers: Handlers): Promise<readonly Door[]> {
  const tries = await Promise.allSettled(listen.map((one) => open(one, handlers)));
  const doors = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = tries.find((one) => one.status === 'rejected');
  if (!failed) return doors;
  await Promise.all(doors.map(({ server }) => server.close(0)));
  throw failed.reason;
}

async function open(asked: DoorWish, handlers: Handlers): Promise<Door> {
  const { address, port, tls } = asked;
  try {
    const first = asked.inside ? handlers.inside : handlers.outside;
    const door = { asked, handler: first };
    const listen = { address, port, ...(tls ? { tls } : {}) };
    const server = await serve(listen, (inbound, reply) => door.handler(inbound, reply), handlers);
    return Object.assign(door, { server });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new BerthError('PORT_TAKEN', { address, port, holder: 'another program' }, { cause: error });
  }
}

/** Whether clients are asked for certificates cannot be changed at an open door. */
function same(a: DoorWish, b: DoorWish): boolean {
  return a.address === b.address && a.port === b.port && a.inside === b.inside && kindOf(a) === kindOf(b);
}

function kindOf({ tls }: DoorWish): string {
  return tls ? `tls ${tls.clientCa !== null}` : 'plain';
}
