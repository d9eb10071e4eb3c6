import { measureOverhead } from '../../bench/overhead/measure.ts';
import type { Side } from '../../bench/overhead/measure.ts';
import { startNginx } from '../../bench/overhead/nginx.ts';
import { overheadReport } from '../../bench/overhead/report.ts';
import type { OverheadReport } from '../../bench/overhead/report.ts';
import { fewestForP99 } from '../../bench/overhead/compare.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { ModelList } from '../../domain/server-answers.ts';
import { engineOf } from '../../engines/registry.ts';
import { statusWithKeys } from './bench-targets.ts';
import { readUpState } from '../../fleet/up/up-state.ts';
import { monotonicMicroseconds } from '../../io/clock.ts';
import { cpuNanoseconds } from '../../io/procfs/cpu-time.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import { createTimedClient } from '../../io/timed-request.ts';
import { tokenOfFile } from '../../io/token-file.ts';
import type { World } from '../../io/world.ts';
import { consoleTokenFile } from '../console-address.ts';
import type { CliContext } from '../context.ts';
import { loadFrom } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';

const clientMs = 5_000;

export interface GatewayBenchOptions extends FileOptions {
  readonly pairs: number;
  readonly streams: number;
  readonly tokens: number;
  readonly seconds: number;
  readonly nginx: boolean;
}

interface Way {
  readonly url: string;
  readonly model: string;
  readonly key: string | null;
}

/**
 * Measures what the running gateway adds, beside the engine itself and nginx. Throws BENCH_TARGET_DOWN when one of
 * engine and gateway does not run.
 */
export async function gatewayBench(
  context: CliContext,
  options: GatewayBenchOptions & { deployment: string | null; folder: string },
): Promise<OverheadReport> {
  const { world, output, signal } = context;
  const { direct, gateway, deployment, gatewayPid, tls } = await waysOf(context, options);
  const nginx = options.nginx ? await startNginx(world, direct.url, options.folder) : null;
  const sides = [
    side(world, 'direct', direct, null),
    side(world, 'direct again', direct, null),
    side(world, 'gateway', gateway, gatewayPid),
    ...(nginx ? [side(world, 'nginx', { ...direct, url: nginx.url }, nginx.pid)] : []),
  ];
  try {
    let told = 0;
    const measured = await measureOverhead(sides, {
      ...options,
      limitMs: options.seconds * 1000,
      signal,
      now: world.clock.now,
      onProgress: (done) => {
        if (world.clock.now() - told < 2_000) return;
        told = world.clock.now();
        output.progress(`Turn ${done} of ${options.pairs}`);
      },
    });
    const notes = notesOf({ nginx: nginx !== null, tls, wanted: options });
    return overheadReport(measured, { deployment, streams: options.streams, tokens: options.tokens, notes });
  } finally {
    for (const one of sides) one.client.close();
    await nginx?.stop();
    await world.files.remove(options.folder);
  }
}

function notesOf({
  nginx,
  tls,
  wanted,
}: {
  nginx: boolean;
  tls: boolean;
  wanted: GatewayBenchOptions;
}): string[] {
  const notes = [
    'Added: beside "direct", with its 95 % interval. "direct again" goes the same way as "direct": what it adds is noise, and a difference no larger says nothing.',
    'CPU/event: processor time of the proxy, which falls with the load; compare only within this run.',
  ];
  if (wanted.pairs * wanted.streams < fewestForP99)
    notes.push(`p99 needs at least ${fewestForP99} requests of each way.`);
  if (!nginx) notes.push('nginx: absent.');
  if (tls) notes.push('What TLS costs is not in it: the gateway was asked by its door for berth itself.');
  return notes;
}

function side(world: World, name: string, way: Way, pid: number | null): Side {
  return {
    ...way,
    name,
    client: createTimedClient(way.url, monotonicMicroseconds),
    cpuUs: () => {
      const spent = pid === null ? null : cpuNanoseconds(world.proc, pid);
      return spent === null ? null : spent / 1000;
    },
  };
}

/** The same engine by two ways. The gateway is asked with berth's own key, which passes whatever keys it wants. */
async function waysOf(
  context: CliContext,
  options: GatewayBenchOptions & { deployment: string | null },
): Promise<{ direct: Way; gateway: Way; deployment: string; gatewayPid: number; tls: boolean }> {
  const { world } = context;
  const loaded = await loadFrom(context, options);
  const known = loaded.deployments.map((one) => one.name);
  const name = options.deployment ?? known[0];
  const deployment = loaded.deployments.find((one) => one.name === name);
  if (!deployment || name === undefined)
    throw new BerthError('DEPLOYMENT_UNKNOWN', { name: name ?? '', known });
  const { status, keyOf } = await statusWithKeys(world, loaded);
  const replica = status.deployments
    .find((one) => one.name === name)
    ?.replicas.find((one) => one.state === 'ready');
  const starts = engineOf(deployment.engine.kind).external === undefined;
  const url = replica?.url;
  if (!url) throw down(name, `no replica of it is ready${starts ? '; "berth up" starts it' : ''}`);
  const door = (await readUpState(world, loaded))?.gateway;
  if (!door) throw down('the gateway', 'it does not run; "berth up" starts it');
  const external = engineOf(deployment.engine.kind).external?.(deployment.engine) ?? null;
  const ref = keyOf(name, replica.replica);
  const key = ref && (await resolveSecret(world, ref));
  const direct = { url, key, model: external?.servedModel ?? (await firstModel(world, url, key)) ?? name };
  const own = await tokenOfFile(world.files, consoleTokenFile(world, loaded));
  return {
    direct,
    // Behind TLS it has a door for berth itself, in the clear.
    gateway: { url: door.insideUrl ?? door.url, key: own, model: name },
    deployment: name,
    gatewayPid: door.pid,
    tls: loaded.gateway.tls?.cert !== undefined,
  };
}

async function firstModel(world: World, url: string, key: string | null): Promise<string | null> {
  const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  const { text } = await world.http.request(`${url}/v1/models`, { timeoutMs: clientMs, headers });
  try {
    return ModelList.parse(JSON.parse(text)).data[0]?.id ?? null;
  } catch {
    return null;
  }
}

function down(url: string, reason: string): BerthError {
  return new BerthError('BENCH_TARGET_DOWN', { url, reason });
}
