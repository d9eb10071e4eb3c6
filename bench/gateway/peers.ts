import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { startNginx, startPeer } from './sides.ts';
import type { Side } from './sides.ts';

/** What is promised beside a peer. CPU: the peer's for one unit by ours. TTFT: what the peer adds by what we add, or our milliseconds beyond the peer's. */
export interface Bounds {
  readonly perEvent: number;
  readonly perRequest: number;
  readonly ttft: { readonly timesLess: number } | { readonly p50OverMs: number; readonly p99OverMs: number };
}

/** Another gateway, measured beside ours on the same engine. */
export interface Peer {
  readonly name: string;
  readonly bounds: Bounds;
  /** What it can bear on one core. */
  readonly streams: number;
  readonly connections: number;
  /** How to start it before the engine on that port; else why it cannot be had here. */
  readonly prepare: () => ((folder: string, engine: number) => Promise<Side>) | { readonly absent: string };
}

const cache = join(process.env['BERTH_LIVE_CACHE'] ?? join(homedir(), '.cache/berth-live'), 'gateway-peers');

export const hasNginx = spawnSync('nginx', ['-v']).status === 0;

const nginx: Peer = {
  name: 'nginx',
  bounds: { perEvent: 0.75, perRequest: 0.5, ttft: { p50OverMs: 0.2, p99OverMs: 1 } },
  streams: 200,
  connections: 32,
  prepare: () => (hasNginx ? startNginx : { absent: 'nginx is not installed' }),
};

const portkey: Peer = {
  name: 'portkey',
  bounds: { perEvent: 8, perRequest: 12, ttft: { timesLess: 50 } },
  streams: 200,
  connections: 16,
  prepare: () => {
    const folder = join(cache, 'portkey');
    const program = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js');
    // With the newer @hono/node-server that its range allows, it answers every stream with a 500.
    const manifest = {
      private: true,
      dependencies: { '@portkey-ai/gateway': '1.15.2' },
      overrides: { '@hono/node-server': '1.13.5' },
    };
    if (!existsSync(program)) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
      install('Portkey', ['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund'], folder);
    }
    if (!existsSync(program)) return { absent: 'npm did not install it' };
    return (_, engine) =>
      startPeer('portkey', {
        argv: (port) => [process.execPath, program, `--port=${port}`, '--headless'],
        env: { TRUSTED_CUSTOM_HOSTS: '127.0.0.1', NODE_ENV: 'production' },
        headers: ['x-portkey-provider: openai', `x-portkey-custom-host: http://127.0.0.1:${engine}/v1`],
      });
  },
};

const litellm: Peer = {
  name: 'litellm',
  bounds: { perEvent: 30, perRequest: 30, ttft: { timesLess: 20 } },
  streams: 20,
  connections: 4,
  prepare: () => {
    const venv = join(cache, 'litellm');
    const program = join(venv, 'bin/litellm');
    if (!existsSync(program)) {
      mkdirSync(cache, { recursive: true });
      install('LiteLLM', ['python3', '-m', 'venv', venv], cache);
      install('LiteLLM', [join(venv, 'bin/pip'), 'install', '--quiet', 'litellm[proxy]'], cache);
    }
    if (!existsSync(program)) return { absent: 'pip did not install it' };
    return (folder, engine) => {
      const file = join(folder, 'litellm.yaml');
      const parameters = {
        model: 'openai/bench',
        api_base: `http://127.0.0.1:${engine}/v1`,
        api_key: 'none',
      };
      writeFileSync(
        file,
        JSON.stringify({ model_list: [{ model_name: 'bench', litellm_params: parameters }] }),
      );
      return startPeer('litellm', {
        argv: (port) => [
          program,
          '--config',
          file,
          '--host',
          '127.0.0.1',
          '--port',
          String(port),
          '--num_workers',
          '1',
        ],
        env: {
          // It does not start without one, and says that this one is weak.
          LITELLM_MASTER_KEY: 'bench-key',
          LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY: 'true',
          LITELLM_LOCAL_MODEL_COST_MAP: 'True',
          LITELLM_TELEMETRY: 'False',
          LITELLM_LOG: 'ERROR',
        },
        headers: [],
      });
    };
  },
};

const llamaSwap: Peer = {
  name: 'llama-swap',
  bounds: { perEvent: 1, perRequest: 0.8, ttft: { timesLess: 1 } },
  streams: 200,
  connections: 32,
  prepare: () => {
    const program = process.env['BERTH_LLAMA_SWAP'] ?? onPath('llama-swap');
    if (!program || !existsSync(program)) return { absent: 'no llama-swap on PATH or in BERTH_LLAMA_SWAP' };
    return (folder, engine) => {
      const file = join(folder, 'llama-swap.yaml');
      // The engine runs already: what llama-swap starts only has to stay.
      const model = {
        cmd: 'sleep 1000000',
        proxy: `http://127.0.0.1:${engine}`,
        checkEndpoint: 'none',
        concurrencyLimit: 4096,
      };
      writeFileSync(file, JSON.stringify({ models: { bench: model } }));
      return startPeer('llama-swap', {
        argv: (port) => [program, '--config', file, '--listen', `127.0.0.1:${port}`],
        env: {},
        headers: [],
      });
    };
  },
};

export const peers: readonly Peer[] = [nginx, portkey, litellm, llamaSwap];

/** Into the cache, which is outside of the repository; a failure shows in what is then not there. */
function install(name: string, argv: readonly string[], folder: string): void {
  console.log(`installing ${name} into ${folder}`);
  const [program = '', ...args] = argv;
  spawnSync(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

function onPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}
