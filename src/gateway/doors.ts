import { BerthError } from '../domain/errors/berth-error.ts';
import type { GatewayConfig } from '../domain/gateway-config.ts';
import { serve } from '../io/http-server/serve.ts';
import type { Handler, Listening } from '../io/http-server/types.ts';

type Address = GatewayConfig['listen'][number];

interface Door {
  /** As the config has it; port 0 stands for any free one. */
  readonly asked: Address;
  readonly server: Listening;
}

/** The addresses that the gateway listens on. */
export interface Doors {
  readonly bound: () => readonly Address[];
  /**
   * Opens what is new, has `commit` do the rest of the change, then closes what is gone: its connections end when their
   * requests are served, or after `graceMs`. Rejects with PORT_TAKEN, or as `commit` does, with the old addresses open.
   */
  readonly change: (
    listen: readonly Address[],
    graceMs: number,
    commit: () => Promise<void>,
  ) => Promise<void>;
  readonly close: (graceMs: number) => Promise<void>;
}

/** Opens all or none. Rejects with PORT_TAKEN. */
export async function openDoors(listen: readonly Address[], handler: Handler): Promise<Doors> {
  let doors = await openAll(listen, handler);
  const leaving = new Set<Promise<void>>();

  function shut(gone: readonly Door[], graceMs: number): void {
    for (const { server } of gone) {
      const closed = server.close(graceMs).finally(() => leaving.delete(closed));
      leaving.add(closed);
    }
  }

  async function change(
    next: readonly Address[],
    graceMs: number,
    commit: () => Promise<void>,
  ): Promise<void> {
    const gone = doors.filter(({ asked }) => !next.some((one) => same(one, asked)));
    const stay = doors.filter((door) => !gone.includes(door));
    const wanted = next.filter((one) => !stay.some(({ asked }) => same(one, asked)));
    // One address may cover another, as 0.0.0.0 does: on one port the old one has to make room first.
    const inTheWay = gone.filter(({ server }) => wanted.some((one) => one.port === server.port));
    shut(inTheWay, graceMs);
    let opened: readonly Door[] = [];
    try {
      opened = await openAll(wanted, handler);
      await commit();
    } catch (error) {
      await Promise.all(opened.map(({ server }) => server.close(0)));
      doors = doors.filter((door) => !inTheWay.includes(door));
      const again = inTheWay.map(({ asked }) => asked);
      doors = [...doors, ...(await openAll(again, handler))];
      throw error;
    }
    doors = [...stay, ...opened];
    shut(
      gone.filter((door) => !inTheWay.includes(door)),
      graceMs,
    );
  }

  return {
    bound: () => doors.map(({ server: { address, port } }) => ({ address, port })),
    change,
    close: async (graceMs) => {
      shut(doors, graceMs);
      await Promise.all(leaving);
    },
  };
}

async function openAll(listen: readonly Address[], handler: Handler): Promise<readonly Door[]> {
  const tries = await Promise.allSettled(listen.map((one) => open(one, handler)));
  const doors = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = tries.find((one) => one.status === 'rejected');
  if (!failed) return doors;
  await Promise.all(doors.map(({ server }) => server.close(0)));
  throw failed.reason;
}

async function open(asked: Address, handler: Handler): Promise<Door> {
  try {
    return { asked, server: await serve(asked, handler) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new BerthError('PORT_TAKEN', { ...asked, holder: 'another program' }, { cause: error });
  }
}

function same(a: Address, b: Address): boolean {
  return a.address === b.address && a.port === b.port;
}
