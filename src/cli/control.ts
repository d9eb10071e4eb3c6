import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fleetStatus } from '../fleet/status.ts';
import { logFiles, logLines } from '../fleet/logs.ts';
import { holderOf, observe } from '../fleet/observe.ts';
import type { UpHold } from '../fleet/up.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { startControlServer } from '../server/control-server.ts';
import type { ControlPorts } from '../server/ports.ts';
import { tokenOfFile } from '../io/token-file.ts';
import { consoleTokenFile } from './console-address.ts';
import type { CliContext } from './context.ts';
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
        gateway: hold.gateway,
        traffic: hold.traffic,
        requests: hold.requests,
        onProgress: options.onProgress,
      },
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    const holder = holderOf(await observe(world), wanted.listen)?.text ?? 'another program';
    throw new BerthError('PORT_TAKEN', { ...wanted.listen, holder }, { cause: error });
  }
}

async function deploymentLogs(
  { world }: CliContext,
  hold: UpHold,
  deployment: string,
  lines: number,
): Promise<string[] | null> {
  const loaded = hold.loaded();
  if (!loaded.deployments.some((one) => one.name === deployment)) return null;
  const files = logFiles(world, loaded, deployment);
  return (await Promise.all(files.map((file) => logLines(file.path, lines)))).flat();
}
