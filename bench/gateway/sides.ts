import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import type { GatewayConfig } from '../../src/domain/gateway-config.ts';
import { programFlags } from '../../src/io/program.ts';
import { firstLine, pinned, start } from './processes.ts';

/** A gateway that is measured, or, as the port alone, the engine itself. */
export interface Side {
  readonly name: string;
  readonly port: number;
  readonly child: ChildProcess;
  readonly pid: number;
  /** Lines that its requests need, each with its CRLF. */
  readonly headers: string;
}

const proxyCore = 1;
/** Limits that are kept and never reached. */
const plenty = 1_000_000_000;
const root = resolve(import.meta.dirname, '../..');

export async function startNginx(folder: string, enginePort: number): Promise<Side> {
  const port = await freePort();
  // Its worker runs as another user.
  chmodSync(folder, 0o755);
  const file = join(folder, 'nginx.conf');
  const text = readFileSync(join(import.meta.dirname, 'nginx.conf'), 'utf8');
  writeFileSync(
    file,
    text
      .replaceAll('PREFIX', folder)
      .replaceAll('LISTEN', String(port))
      .replaceAll('ENGINE', String(enginePort)),
  );
  const child = start(pinned(['nginx', '-p', folder, '-c', file], proxyCore));
  await listening(port, { child, seconds: 5 });
  return { name: 'nginx', port, child, pid: child.pid as number, headers: '' };
}

/** Starts another gateway on a free port and waits until it listens; a Python one takes its time. */
export async function startPeer(
  name: string,
  {
    argv,
    env,
    headers,
  }: { argv: (port: number) => string[]; env: NodeJS.ProcessEnv; headers: readonly string[] },
): Promise<Side> {
  const port = await freePort();
  const child = start(pinned(argv(port), proxyCore), { env: { ...process.env, ...env } });
  // What it has to say is not ours to print, and must not fill the pipe.
  child.stdout?.resume();
  await listening(port, { child, seconds: 120 });
  return {
    name,
    port,
    child,
    pid: child.pid as number,
    headers: headers.map((line) => `${line}\r\n`).join(''),
  };
}

/** The gateway as users run it: with a key to check, limits to keep, tokens to count, metrics and time limits. */
export async function startGateway(folder: string, enginePort: number): Promise<Side> {
  const config: GatewayConfig = {
    version: 1,
    fleet: 'bench',
    listen: [{ address: '127.0.0.1', port: 0 }],
    routes: [{ name: 'bench', to: [{ deployment: 'bench', weight: 1 }], aliasOf: null }],
    upstreams: [
      {
        id: 'bench-0',
        deployment: 'bench',
        url: `http://127.0.0.1:${enginePort}`,
        model: 'engine-name',
        slots: 4096,
        keyFile: null,
        paths: [],
        metricsPath: null,
        healthPath: null,
        onClientAbort: null,
      },
    ],
    anonymous: false,
    keys: [{ id: 'bench', name: 'bench', sha256: createHash('sha256').update('bench-key').digest('hex') }],
    quotas: {
      eachKey: { rpm: plenty, tpm: plenty, concurrent: 1_000_000, budget: { day: { tokens: plenty } } },
      models: { bench: { rpm: plenty, tpm: plenty } },
      prices: { bench: { input: 1, output: 2 } },
      usageFile: join(folder, 'usage.sqlite'),
      sharedUrlFile: null,
    },
    limits: {
      bodyBytes: 64 * 1024 * 1024,
      heldBytes: 256 * 1024 * 1024,
      queue: 1000,
      queueMs: 30_000,
      connectMs: 5000,
      idleMs: 120_000,
      drainMs: 1000,
      probeMs: 5000,
    },
  };
  const file = join(folder, 'gateway.json');
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  const built = join(root, 'dist/programs/gateway.js');
  const program = existsSync(built) ? built : join(root, 'src/programs/gateway.ts');
  const child = start(
    pinned([process.execPath, ...programFlags('gateway'), program, '--config', file], proxyCore),
  );
  const event = JSON.parse(await firstLine(child)) as { listen: { port: number }[] };
  return { name: 'gateway', port: event.listen[0]?.port ?? 0, child, pid: child.pid as number, headers: '' };
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}

/** Waits until somebody listens; rejects after that many seconds, or when the process has ended. */
async function listening(port: number, of: { child: ChildProcess; seconds: number }): Promise<void> {
  for (let i = 0; i < of.seconds * 20 && of.child.exitCode === null; i += 1) {
    const open = await new Promise<boolean>((done) => {
      const socket = connect(port, '127.0.0.1', () => done(true));
      socket.on('error', () => done(false)).on('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`Nobody listens on port ${port}.`);
}
