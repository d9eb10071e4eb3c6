import { urlHostHere } from '../domain/url-host.ts';
import { serve } from '../io/http-server/serve.ts';
import type { World } from '../io/world.ts';
import { controlApp } from './app.ts';
import { answerWith } from './bridge.ts';
import { createFeed } from './feed.ts';
import { gatewayLoad } from './gateway-load.ts';
import type { ControlPorts } from './ports.ts';

export interface ControlServerOptions {
  readonly listen: { readonly address: string; readonly port: number };
  readonly token: string;
  /** Folder of the built console; null when it is not built: the API alone. */
  readonly assetsDir: string | null;
  readonly ports: ControlPorts;
  /** More names that people reach the server by. */
  readonly hostNames?: readonly string[];
  /** How often the fleet is looked at while a page is open. */
  readonly periodMs?: number;
}

export interface ControlServer {
  /** Without the token. */
  readonly url: string;
  readonly token: string;
  readonly port: number;
  readonly close: () => Promise<void>;
}

const closeGraceMs = 1_000;

/** Serves the control API and the console. Rejects with code EADDRINUSE when the port is held. */
export async function startControlServer(
  world: World,
  options: ControlServerOptions,
): Promise<ControlServer> {
  const { listen, token, ports, assetsDir } = options;
  const feed = createFeed(
    { ...ports, load: () => gatewayLoad(world, ports.gateway()) },
    { clock: world.clock, periodMs: options.periodMs ?? 1_000 },
  );
  const names = { address: listen.address, hostNames: options.hostNames ?? [] };
  const app = controlApp(world, { token, names, assetsDir, ports, feed });
  const server = await serve(listen, async (inbound, reply) => {
    try {
      await answerWith(app, inbound, reply);
    } catch (error) {
      world.log.error('The control server failed on a request', { reason: String(error) });
      throw error;
    }
  });
  const url = `http://${urlHostHere(listen.address)}:${server.port}`;
  return {
    url,
    token,
    port: server.port,
    close: async () => {
      feed.close();
      await server.close(closeGraceMs);
    },
  };
}
