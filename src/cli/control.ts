import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fleetStatus } from '../fleet/observe/status.ts';
import { logSources } from '../fleet/observe/logs.ts';
import { holderOf, observe } from '../fleet/observe/observe.ts';
import type { UpHold } from '../fleet/up/up-ports.ts';
import type { KeyAnswer } from '../domain/key-record.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { World } from '../io/world.ts';
import { startControlServer } from '../server/control-server.ts';
import type { ControlPorts, GatewayAccess } from '../server/ports.ts';
import { tokenOfFile } from '../io/token-file.ts';
import { consoleTokenFile } from './console-address.ts';
import type { CliContext } from './context.ts';
import { keySpending } from '../fleet/gateway/key-spending.ts';
import { keyManager } from './key-manager.ts';
import { runPorts } from './run-ports.ts';

/** The built console; from the sources and from the build it is the same folder. */
const consoleFolder = fileURLToPath(new URL('../../dist/console', import.meta.url));

/** Starts console and control API over a running fleet. Throws PORT_TAKEN. */
export async function startControl(
  context: CliContext,
  hold: UpHold,
  options: { onProgress: ControlPorts['onProgress'] },
): Promise<{ url: string; close: () => Promise<void> }> {
  const { world } = context;
  const loaded = hold.loaded();
  const wanted = loaded.console;
  const answers = new Map();
  const built = (await world.files.stat(join(consoleFolder, 'index.html')))?.isFile ?? false;
  try {
    return await startControlServer(world, {
      listen: wanted.listen,
      token: await tokenOfFile(world.files, consoleTokenFile(world, loaded)),
      assetsDir: built ? consoleFolder : null,
      ports: {
        status: () => fleetStatus(world, hold.loaded(), { answers }),
        ...runPorts(world),
        logs: (deployment, lines) => deploymentLogs(context, hold, deployment, lines),
        gateway: () => insideOf(hold.gateway()),
        traffic: hold.traffic,
        requests: hold.requests,
        keys: keyPorts(world, hold),
        onProgress: options.onProgress,
      },
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    const holder = holderOf(await observe(world), wanted.listen)?.text ?? 'another program';
    throw new BerthError('PORT_TAKEN', { ...wanted.listen, holder }, { cause: error });
  }
}

/** Behind TLS the console does not come in by the door that others use. */
function insideOf(gateway: ReturnType<UpHold['gateway']>): GatewayAccess | null {
  return gateway && { url: gateway.insideUrl, key: gateway.key, keyNeeded: gateway.keyNeeded };
}

/** A new key is told even if the gateway does not take it in: it is kept, and told only once. */
function keyPorts(world: World, hold: UpHold): ControlPorts['keys'] {
  const manager = keyManager(world, hold.loaded, 'console');
  async function inForce<Value>(change: Promise<Value>): Promise<KeyAnswer<Value>> {
    const value = await change;
    try {
      await hold.takeInKeys();
      return { ...value, notInForce: null };
    } catch (error) {
      return { ...value, notInForce: error instanceof Error ? error.message : String(error) };
    }
  }
  return {
    list: manager.list,
    usage: async () => ({
      ...(await hold.requests.usage()),
      spent: await keySpending(world, hold.loaded()),
    }),
    add: (wish) => inForce(manager.add(wish)),
    rotate: (id, graceMs) => inForce(manager.rotate(id, graceMs)),
    revoke: (id) => inForce(manager.revoke(id)),
    takeIn: hold.takeInKeys,
  };
}

async function deploymentLogs(
  { world }: CliContext,
  hold: UpHold,
  deployment: string,
  lines: number,
): Promise<string[] | null> {
  const loaded = hold.loaded();
  if (!loaded.deployments.some((one) => one.name === deployment)) return null;
  const sources = await logSources(world, loaded, deployment);
  return (await Promise.all(sources.map((source) => source.last(lines)))).flat();
}
