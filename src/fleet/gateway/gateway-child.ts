import { z } from 'zod';
import { urlHostHere } from '../../domain/url-host.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { GatewayConfig } from '../../domain/gateway-config.ts';
import type { GatewayAsk, GatewayCommand, ReloadAsk } from '../../domain/gateway-control.ts';
import type { Child } from '../../io/child.ts';
import { lastLines } from '../../io/log-file.ts';
import { programArgv } from '../../io/program.ts';
import { longestTimerMs } from '../../io/clock.ts';
import type { World } from '../../io/world.ts';
import { followEvents, takenAddress } from './gateway-events.ts';
import type { GatewayEvent, GatewayEvents } from './gateway-events.ts';
import { holderOf, observe } from '../observe/observe.ts';
import type { FleetPaths } from '../file/paths.ts';

/** The gateway process: ours to reload and to end; it ends by itself when we do. */
export interface GatewayChild {
  readonly pid: number;
  /** Base URL, as this machine reaches it; a reload may change it. */
  readonly url: string;
  /** Base URL for berth itself, in the clear on loopback; the same but behind TLS. */
  readonly insideUrl: string;
  /**
   * Writes the configuration and has the gateway take it in, whole or not at all. Throws PORT_TAKEN, or
   * GATEWAY_RELOAD_FAILED with its reason, also when it does not answer in time: it may still take it in. A gateway that has ended
   * reads the file when it is started again.
   */
  readonly reload: (config: GatewayConfig) => Promise<void>;
  /** Has the gateway do it, and gives its answer. Throws REQUEST_UNKNOWN, or GATEWAY_REFUSED with its reason, also when it has ended. */
  readonly ask: (command: GatewayCommand) => Promise<unknown>;
  /** Lets open requests end for the configured time. */
  readonly stop: () => Promise<void>;
  readonly exited: Promise<unknown>;
}

const startTimeoutMs = 60_000;
const reloadTimeoutMs = 10_000;

/** Starts the gateway and waits until it listens. Throws PORT_TAKEN with the holder, or GATEWAY_FAILED with its last lines. */
export async function startGateway(
  world: World,
  paths: FleetPaths,
  config: GatewayConfig,
  /** Hears what the gateway asks for from its first moment on. */
  onEvent: (event: GatewayEvent) => void,
  /** Hears each line of its log, beside the file. */
  onLogLine: (line: string) => void = () => {},
  /** It is asked by "follow" to take in what runs now; without it, other gateways take it that it does so by itself. */
  follows = false,
): Promise<GatewayChild> {
  await world.files.write(paths.gatewayConfig, JSON.stringify(config), 0o600);
  await world.files.makeDir(paths.logs);
  const { end } = await lastLines(paths.gatewayLog, 0);
  const child = await world.exec.start(
    programArgv('gateway', [
      '--config',
      paths.gatewayConfig,
      '--with-parent',
      ...(follows ? ['--follows'] : []),
    ]),
    {
      env: environment(world),
      onErrorLine: (line) => {
        onLogLine(line);
        void world.files.append(paths.gatewayLog, `${line}\n`);
      },
    },
  );
  const events = followEvents(child.lines);
  events.listen(onEvent);
  const first = await events.next(['listening', 'failed'], AbortSignal.timeout(startTimeoutMs));
  const opened = urlsOf(first);
  if (opened === null) {
    child.kill('SIGKILL');
    await child.exited;
    throw await startFault(world, paths, first, end);
  }
  let urls = opened;
  // Also of a reload that nobody waits for any more.
  events.listen((event) => {
    if (event.event === 'reloaded') urls = urlsOf(event) ?? urls;
  });
  let drainMs = config.limits.drainMs;
  let reloads = 0;
  return {
    pid: child.pid,
    get url() {
      return urls.url;
    },
    get insideUrl() {
      return urls.insideUrl;
    },
    exited: child.exited,
    reload: async (next) => {
      await world.files.write(paths.gatewayConfig, JSON.stringify(next), 0o600);
      reloads += 1;
      await haveReload(world, child, events, reloads);
      drainMs = next.limits.drainMs;
    },
    ask: asker(child, events),
    stop: () => endOf(world, child, drainMs + 5_000),
  };
}

/** Throws as `reload`. The number keeps the late answer to an earlier one from being taken for that to this one. */
async function haveReload(world: World, child: Child, events: GatewayEvents, id: number): Promise<void> {
  const late = AbortSignal.timeout(reloadTimeoutMs);
  const told = events.reload(id, late);
  child.write(`${JSON.stringify({ id, reload: true } satisfies ReloadAsk)}\n`);
  const event = await told;
  if (event?.event === 'reload-failed') throw await reloadFault(world, event);
  if (event !== null || !late.aborted) return;
  const reason = `it has not answered for ${reloadTimeoutMs / 1000} s.`;
  throw new BerthError('GATEWAY_RELOAD_FAILED', { reason });
}

/** Open requests get their time; then it is over. */
async function endOf(world: World, child: Child, patienceMs: number): Promise<void> {
  child.kill('SIGTERM');
  const late = new AbortController();
  const timeout = world.clock.sleep(patienceMs, late.signal).then(
    () => child.kill('SIGKILL'),
    () => false,
  );
  await Promise.race([child.exited, timeout]);
  late.abort();
  await child.exited;
}

function asker(child: Child, events: GatewayEvents): GatewayChild['ask'] {
  let asked = 0;
  return async (command) => {
    const id = (asked += 1);
    const told = events.answer(id, AbortSignal.timeout(askTimeoutMs(command)));
    child.write(`${JSON.stringify({ id, command } satisfies GatewayAsk)}\n`);
    const event = await told;
    const unknown = RequestFacts.safeParse(event?.error?.facts).data;
    if (unknown && event?.error?.code === 'REQUEST_UNKNOWN') throw new BerthError('REQUEST_UNKNOWN', unknown);
    if (event?.error || !event)
      throw new BerthError('GATEWAY_REFUSED', { reason: event?.error?.message ?? 'it does not answer.' });
    return event.result;
  };
}

const RequestFacts = z.object({ request: z.string() });

/** Other gateways are asked as well, and may be slow to answer. */
const othersMs = 15_000;
const shiftMs = 45_000;

function askTimeoutMs(command: GatewayCommand): number {
  if (command.do === 'shift') return shiftMs;
  const graceMs = command.do === 'drain' ? command.graceMs : 0;
  return Math.min(reloadTimeoutMs + othersMs + graceMs, longestTimerMs);
}

/** Marks belong to engines: a gateway that inherited one would look like an engine. */
function environment(world: World): Record<string, string | undefined> {
  const { BERTH_MARK: _mark, ...env } = world.env;
  return env;
}

function urlsOf(event: GatewayEvent | null): { url: string; insideUrl: string } | null {
  const outer = event?.listen?.find((one) => !one.inside);
  if (!outer) return null;
  return { url: urlOf(outer), insideUrl: urlOf(event?.listen?.find((one) => one.inside) ?? outer) };
}

function urlOf({ address, port, tls }: NonNullable<GatewayEvent['listen']>[number]): string {
  return `${tls ? 'https' : 'http'}://${urlHostHere(address)}:${port}`;
}

async function startFault(
  world: World,
  paths: FleetPaths,
  event: GatewayEvent | null,
  logEnd: number,
): Promise<BerthError> {
  const taken = event && (await portFault(world, event));
  if (taken) return taken;
  const { lines } = await lastLines(paths.gatewayLog, 20, logEnd);
  const log = event?.error ? [...lines, event.error.message] : lines;
  return new BerthError('GATEWAY_FAILED', { log, logFile: paths.gatewayLog });
}

async function reloadFault(world: World, event: GatewayEvent): Promise<BerthError> {
  const reason = event.error?.message ?? 'it gave no reason';
  return (await portFault(world, event)) ?? new BerthError('GATEWAY_RELOAD_FAILED', { reason });
}

/** The gateway cannot see who holds an address; we can. */
async function portFault(world: World, event: GatewayEvent): Promise<BerthError | null> {
  const address = takenAddress(event);
  if (!address) return null;
  const holder = holderOf(await observe(world), address)?.text ?? 'another program';
  return new BerthError('PORT_TAKEN', { ...address, holder });
}
