import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FleetLoad } from '../../../src/domain/fleet-load.ts';
import type { ReplicaLoad } from '../../../src/domain/fleet-load.ts';
import type { FleetStatus } from '../../../src/domain/fleet-status.ts';
import { localFiles } from '../../../src/io/files.ts';
import { makeModel } from '../../../src/model-files/make-model.ts';
import type { Ran } from '../../support/berth.ts';
import type { Seen, SuiteHost, SuiteTarget } from './contract.ts';

const bin = resolve(import.meta.dirname, '../../../bin/berth.js');
const client = join(import.meta.dirname, 'client.mjs');

/** What became of one streamed completion. */
export interface Completion {
  readonly model: string;
  readonly status: number;
  readonly retryAfter: string | null;
  readonly text: string;
  readonly tokens: number | null;
  readonly done: boolean;
  readonly said: string;
}

export interface Load {
  readonly ended: readonly Completion[];
  /** Lets what is under way end. */
  readonly stop: () => Promise<readonly Completion[]>;
}

export interface Wish {
  readonly url: string;
  readonly model: string;
  readonly count: number;
}

/** A host with a folder for the fleet, and berth and its clients run as the host wants them. */
export interface Stage {
  readonly host: SuiteHost;
  /** The fleet file; `hold`: how long requests may wait for an engine that is replaced in its place. */
  readonly write: (context: number, hold: string) => void;
  /** Each of these throws what was said when it does not come about. */
  readonly apply: () => Promise<void>;
  readonly rollback: () => Promise<void>;
  /** What a plan would do by now, deployment by deployment. */
  readonly planned: () => Promise<string[]>;
  /** What `berth top` tells of each deployment over one second. */
  readonly top: () => Promise<ReadonlyMap<string, ReplicaLoad>>;
  /** Address of the gateway, which goes on. */
  readonly up: () => Promise<string>;
  /** Nothing where another program has started the engines. */
  readonly verify: () => Promise<void>;
  readonly logs: (deployment: string) => Promise<string>;
  readonly down: () => Promise<void>;
  /** The one replica of each deployment, by its name. */
  readonly replicas: () => Promise<ReadonlyMap<string, Seen>>;
  /** One completion of each, at the gateway or at the engines themselves. */
  readonly complete: (at: 'gateway' | 'engine', wishes: readonly Wish[]) => Promise<readonly Completion[]>;
  readonly load: (wishes: readonly Wish[]) => Load;
  readonly close: () => Promise<void>;
}

export async function setStage(target: SuiteTarget): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'berth suite '));
  // Engines run as users of their own.
  chmodSync(folder, 0o755);
  await makeModel(localFiles, { size: '15M', type: 'q8_0', seed: 1, path: join(folder, 'toy.gguf') });
  chmodSync(join(folder, 'toy.gguf'), 0o644);
  writeFileSync(join(folder, 'berth.yaml'), '');
  const host = await target.start(folder);
  const id = randomBytes(8).toString('hex');
  const env: Record<string, string> = { BERTH_STATE_DIR: join(folder, 'state') };
  for (const name of ['PATH', 'HOME', 'NODE_COMPILE_CACHE', 'BERTH_FROM_SOURCE'])
    env[name] = process.env[name] ?? '';
  Object.assign(env, host.env);

  function start(before: readonly string[], words: readonly string[]): ChildProcessWithoutNullStreams {
    const [program = '', ...args] = [...before, process.execPath, ...words];
    return spawn(program, args, { cwd: folder, env });
  }
  function clients(before: readonly string[], wish: object): Load {
    const ended: Completion[] = [];
    const child = start(before, [client, JSON.stringify(wish)]);
    const closed = ran(child, (line) => ended.push(JSON.parse(line) as Completion));
    return {
      ended,
      stop: async () => {
        child.stdin.end();
        const { code, stderr } = await closed;
        if (code !== 0) throw new Error(`The clients ended with ${code}: ${stderr}`);
        return ended;
      },
    };
  }
  async function berth(...args: string[]): Promise<Ran> {
    const child = start(host.before, [bin, ...args]);
    child.stdin.end();
    return ran(child);
  }
  async function fine(...args: string[]): Promise<Ran> {
    const done = await berth(...args);
    if (done.code !== 0) throw new Error(`berth ${args.join(' ')}: ${done.stdout}${done.stderr}`);
    return done;
  }
  async function replicas(): Promise<ReadonlyMap<string, Seen>> {
    const { deployments } = (await berth('status', '--json')).json() as FleetStatus;
    return new Map(deployments.flatMap(({ name, replicas: [one] }) => (one ? [[name, one]] : [])));
  }

  const { byHand } = host;
  return {
    host,
    write: (context, hold) => {
      const wish = { id, context, hold };
      byHand?.write(fleetFile(host, wish));
      writeFileSync(join(folder, 'berth.yaml'), (byHand ? fileOfOthers : fleetFile)(host, wish));
    },
    apply: byHand?.apply ?? (async () => void (await fine('apply', '--yes'))),
    rollback: byHand?.rollback ?? (async () => void (await fine('rollback', '--yes'))),
    planned: async () => {
      const plan = (await fine('plan', '--json')).json() as { actions: { do: string }[] };
      return plan.actions.map((action) => action.do);
    },
    top: async () => {
      const { stdout } = await fine('top', '--once', '--interval', '1', '--json');
      const { replicas: found } = FleetLoad.parse(JSON.parse(stdout));
      return new Map(found.map((one) => [one.deployment, one]));
    },
    up: async () => {
      const up = (await fine('up', '--detach', '--json')).json() as { gateway: { url: string } };
      return up.gateway.url;
    },
    verify: async () => void (byHand ?? (await fine('verify'))),
    logs: byHand?.logs ?? (async (name) => (await fine('logs', name, '--lines', '1000')).stdout),
    down: async () => {
      await fine('down');
      await byHand?.down();
    },
    replicas: byHand?.replicas ?? replicas,
    complete: (at, wishes) =>
      clients(at === 'gateway' ? host.before : host.beforeThere, { clients: wishes, each: 1 }).stop(),
    load: (wishes) => clients(host.before, { clients: wishes }),
    close: async () => {
      await berth('down');
      await host.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function fleetFile(host: SuiteHost, wish: { id: string; context: number; hold: string }): string {
  // Those that are replaced beside the old engine are not held, however short that is.
  const routes = host.deployments.map(({ name }) => `${name}: {to: ${name}, hold: ${wish.hold}}`);
  const at = host.modelAt === undefined ? '' : `, ${host.modelAt}`;
  return [
    ...headOf(wish, routes),
    ...host.more,
    `models: {toy: {source: ./toy.gguf${at}}}`,
    'deployments:',
    ...host.deployments.map((one) => one.line(wish.context)),
    '',
  ].join('\n');
}

/** The same engines as servers that run already. */
function fileOfOthers(host: SuiteHost, wish: { id: string }): string {
  const engines = host.deployments.map(
    ({ name, url }) => `  ${name}: {engine: {kind: openai, url: "${url}", slots: 1}}`,
  );
  return [...headOf(wish, []), 'deployments:', ...engines, ''].join('\n');
}

function headOf({ id }: { id: string }, routes: readonly string[]): string[] {
  return [
    'version: 1',
    'fleet: suite',
    `id: "${id}"`,
    `gateway: {listen: ["127.0.0.1:0"], limits: {queueTime: 100s}, routes: {${routes.join(', ')}}}`,
    'console: {listen: "127.0.0.1:0"}',
  ];
}

/** How a program ended, and each whole line of its output as it comes. */
function ran(child: ChildProcessWithoutNullStreams, onLine?: (line: string) => void): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  let seen = 0;
  child.stdout.on('data', (piece: Buffer) => {
    stdout += piece.toString();
    const lines = stdout.split('\n').slice(0, -1);
    for (const line of onLine ? lines.slice(seen) : []) onLine?.(line);
    seen = lines.length;
  });
  child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()));
  return new Promise((done, reject) => {
    child.on('error', reject);
    child.on('close', (code) => done({ code, stdout, stderr, json: () => JSON.parse(stdout) as never }));
  });
}
