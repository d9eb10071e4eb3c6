import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { BerthError } from '../domain/errors/berth-error.ts';
import { GatewayAsk, ReloadAsk } from '../domain/gateway-control.ts';
import { exitCodes } from '../domain/exit-codes.ts';
import { parseJson } from '../domain/json.ts';
import { readConfig } from '../gateway/config.ts';
import { startGateway } from '../gateway/gateway.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Files } from '../io/files.ts';
import { takeHangUps } from '../io/hang-ups.ts';
import { localWorld } from '../io/local-world.ts';

/*
 * The gateway's own process. `--config FILE` names a GatewayConfig; SIGHUP reads it again, SIGTERM and SIGINT drain and
 * end. With `--with-parent` it also ends when its standard input closes, and each line of that is a GatewayAsk or a ReloadAsk. Events
 * go to stdout, one JSON object a line: "load" and "unload" ask the parent for a model on demand.
 */

function say(event: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function describe(error: unknown): Record<string, unknown> {
  if (error instanceof BerthError) return error.toJSON();
  const { code, message } = error as NodeJS.ErrnoException;
  return { code: code ?? 'UNEXPECTED', message };
}

async function run(): Promise<void> {
  const hangUps = takeHangUps();
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      'with-parent': { type: 'boolean', default: false },
      follows: { type: 'boolean', default: false },
    },
  });
  const path = values.config;
  if (path === undefined)
    throw new BerthError('USAGE', { detail: '--config is missing', command: 'gateway' });
  const world = localWorld();
  const control = values['with-parent'] ? (values.follows ? { ...parent, follow } : parent) : null;
  const gateway = await startGateway(world, await readConfig(world.files, path), control);
  const { files } = world;
  hangUps.listen(() => void reload(gateway, { path, files }));
  const stop = stopOnce(gateway);
  process.on('SIGTERM', stop).on('SIGINT', stop);
  if (values['with-parent']) {
    process.stdin.on('end', stop).on('error', stop).on('close', stop);
    createInterface({ input: process.stdin }).on(
      'line',
      (line) => void answer(gateway, line, { path, files }),
    );
  }
  say({ event: 'listening', listen: gateway.listen });
}

const parent = {
  fetch: (deployment: string) => say({ event: 'fetch', deployment }),
  load: (deployment: string) => say({ event: 'load', deployment }),
  unload: (deployment: string) => say({ event: 'unload', deployment }),
};

function follow(wish: string, to: unknown): void {
  say({ event: 'follow', wish, to });
}

async function answer(gateway: Gateway, line: string, file: ConfigFile): Promise<void> {
  const json = parseJson(line);
  const again = ReloadAsk.safeParse(json).data;
  if (again) return reload(gateway, file, again.id);
  const ask = GatewayAsk.safeParse(json).data;
  if (!ask) return;
  try {
    say({ event: 'answer', id: ask.id, result: await gateway.control(ask.command) });
  } catch (error) {
    say({ event: 'answer', id: ask.id, error: describe(error) });
  }
}

interface ConfigFile {
  readonly path: string;
  readonly files: Files;
}

/** `id`: of who asks; a signal has none. */
async function reload(gateway: Gateway, { path, files }: ConfigFile, id?: number): Promise<void> {
  try {
    await gateway.reload(await readConfig(files, path));
    say({ event: 'reloaded', id, listen: gateway.listen });
  } catch (error) {
    say({ event: 'reload-failed', id, error: describe(error) });
  }
}

function stopOnce(gateway: Gateway): () => void {
  let stopping = false;
  return () => {
    if (stopping) return;
    stopping = true;
    say({ event: 'draining' });
    void gateway.close().then(() => {
      say({ event: 'stopped' });
      process.exitCode = exitCodes.done;
      process.stdout.end(() => process.exit());
    });
  };
}

try {
  await run();
} catch (error) {
  say({ event: 'failed', error: describe(error) });
  process.exitCode = error instanceof BerthError ? error.exitCode : exitCodes.fault;
}
