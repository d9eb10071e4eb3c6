import { localWorld } from '../../src/io/local-world.ts';
import { startControlServer } from '../../src/server/control-server.ts';
import type { ControlServer, ControlServerOptions } from '../../src/server/control-server.ts';
import type { ControlPorts } from '../../src/server/ports.ts';
import { exampleStatus } from './fleet-status.ts';

/** A control server on a free port, over ports that know nothing but what the test says. */
export function startTestControl(
  ports: Partial<ControlPorts> = {},
  options: Partial<ControlServerOptions> = {},
): Promise<ControlServer> {
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  return startControlServer(localWorld({ log }), {
    listen: { address: '127.0.0.1', port: 0 },
    token: 'test-token',
    assetsDir: null,
    periodMs: 10,
    ports: {
      status: async () => exampleStatus(),
      runs: async () => [],
      report: async () => null,
      reportHtml: async () => null,
      logs: async () => null,
      gateway: () => null,
      traffic: async () => ({ left: 0 }),
      requests: {
        list: async () => ({ requests: [], total: 0 }),
        cancel: async () => ignore(),
        captures: async () => ({ captures: [], bytes: 0, maxBytes: 0 }),
        capture: async () => Promise.reject(new Error('There is none.')),
      },
      keys: noKeys,
      onProgress: () => ignore,
      ...ports,
    },
    ...options,
  });
}

const noKeys: ControlPorts['keys'] = {
  list: async () => [],
  usage: async () => ({ since: '2030-01-01T00:00:00Z', uses: [], spent: [] }),
  add: () => Promise.reject(new Error('no keys in this test')),
  rotate: () => Promise.reject(new Error('no keys in this test')),
  revoke: () => Promise.reject(new Error('no keys in this test')),
  takeIn: async () => {},
};

function ignore(): void {}
