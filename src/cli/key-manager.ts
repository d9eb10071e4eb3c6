import { endpoints as served } from '../domain/endpoints.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { KeyFault } from '../domain/errors/key-errors.ts';
import { nearest } from '../domain/nearest.ts';
import type { KeyRecord, KeyView, NewKey } from '../domain/key-record.ts';
import { openJournal } from '../fleet/apply/journal.ts';
import { keyViews, viewOf } from '../fleet/gateway/client-keys.ts';
import { routesOf } from '../fleet/gateway/gateway-config.ts';
import { addKey, mint, revokeKey, rotateKey } from '../fleet/gateway/key-changes.ts';
import type { KeyChange } from '../fleet/gateway/key-changes.ts';
import { changeKeys } from '../fleet/gateway/key-file.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import type { World } from '../io/world.ts';
import { fileKeys } from '../fleet/gateway/file-keys.ts';

/** Lists and changes the keys of one fleet, for the command line and the control API alike. The gateway is told by the caller. */
export interface KeyManager {
  readonly list: () => Promise<readonly KeyView[]>;
  /** `wish` is checked here. Rejects with KEY_WISH_INVALID, KEY_EXISTS. */
  readonly add: (wish: unknown) => Promise<NewKey>;
  /** `name` or id. Rejects with KEY_UNKNOWN, KEY_EXPIRED, KEY_IN_FILE. */
  readonly rotate: (name: string, graceMs: number) => Promise<NewKey>;
  readonly revoke: (name: string) => Promise<KeyView>;
}

type Effect = 'add key' | 'rotate key' | 'revoke key';

/** `command` is who changes them, for the journal. */
export function keyManager(world: World, fleet: () => LoadedFleet, command: string): KeyManager {
  function change(what: Effect, make: (keys: readonly KeyRecord[]) => KeyChange): Promise<KeyChange> {
    const journal = openJournal(world, fleet(), { command, plan: null, rotates: false });
    return changeKeys(world, fleet(), make, async ({ record: { name, id } }, write) => {
      const nobody = { host: null, deployment: null, replica: null } as const;
      const object = `${name} (${id})`;
      await journal.record({ do: what, object, ...nobody, reasons: [] }, async () => {
        await write();
        return null;
      });
    });
  }
  function seen(record: KeyRecord): KeyView {
    return viewOf(record, { now: now(), each: fleet().gateway.limits.eachKey ?? {} });
  }
  function newKey({ record, key }: KeyChange): NewKey {
    return { ...seen(record), key: key ?? '' };
  }
  function now(): Date {
    return world.clock.wall();
  }
  function notInFile(name: string): void {
    if (name in fileKeys(fleet().gateway)) throw new BerthError('KEY_IN_FILE', { name });
  }
  return {
    list: () => keyViews(world, fleet()),
    add: async (wish) => {
      const inFile = Object.keys(fileKeys(fleet().gateway));
      return newKey(
        await change('add key', (keys) => {
          const changed = addKey(keys, wish, { ...mint(now()), inFile });
          assertScopes(fleet(), changed.record);
          return changed;
        }),
      );
    },
    rotate: async (name, graceMs) => {
      notInFile(name);
      return newKey(await change('rotate key', (keys) => rotateKey(keys, name, { ...mint(now()), graceMs })));
    },
    revoke: async (name) => {
      const { record } = await change('revoke key', (keys) => {
        // One that was made can go though the file has its name by now: that is the way out of the two.
        if (!keys.some((one) => one.name === name)) notInFile(name);
        return revokeKey(keys, name);
      });
      return seen(record);
    },
  };
}

/** A scope that matches nothing is a slip: the key would be refused everywhere. */
function assertScopes(fleet: LoadedFleet, { models, endpoints }: KeyRecord): void {
  const routes = routesOf(fleet).map((route) => route.name);
  const paths = served.map((endpoint) => endpoint.path);
  const faults = [
    ...unknownIn('models', models, { known: routes, what: 'route of the gateway' }),
    ...unknownIn('endpoints', endpoints, { known: paths, what: 'endpoint' }),
  ];
  if (faults.length > 0) throw new BerthError('KEY_WISH_INVALID', { faults });
}

function unknownIn(
  scope: string,
  names: readonly string[] | null,
  { known, what }: { known: readonly string[]; what: string },
): KeyFault[] {
  return (names ?? []).flatMap((name, i) => {
    if (known.includes(name)) return [];
    const close = nearest(name, known);
    const text = `there is no ${what} "${name}"${close ? `; did you mean "${close}"?` : ''} (there is: ${known.join(', ') || 'none'})`;
    return [{ field: `${scope}.${i}`, text }];
  });
}
