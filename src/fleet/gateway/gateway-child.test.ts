import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { GatewayConfig } from '../../domain/gateway-config.ts';
import { localWorld } from '../../io/local-world.ts';
import type { World } from '../../io/world.ts';
import type { FleetPaths } from '../file/paths.ts';
import { startGateway } from './gateway-child.ts';

const config = { limits: { drainMs: 0 } } as GatewayConfig;

/** A gateway of a few lines in place of ours: it listens, and does `onReload` each time that it is to read its file, `times` so far. */
async function standIn(onReload: string): ReturnType<typeof startGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-child-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const script = `
    function tell(event, port, id) {
      console.log(JSON.stringify({ event, id, listen: [{ address: '127.0.0.1', port, tls: false }] }));
    }
    let times = 0;
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { id } = JSON.parse(line);
      times += 1;
      ${onReload}
    }).on('close', () => process.exit());
    tell('listening', 1);`;
  const world = localWorld();
  const exec: World['exec'] = {
    ...world.exec,
    start: (_argv, options) => world.exec.start([process.execPath, '-e', script], options),
  };
  const paths = {
    gatewayConfig: join(folder, 'gateway.json'),
    gatewayLog: join(folder, 'gateway.log'),
    logs: folder,
  } as FleetPaths;
  const gateway = await startGateway({ ...world, exec }, paths, config, () => {});
  onTestFinished(() => gateway.stop());
  return gateway;
}

test('a gateway that takes in a configuration is reached where it listens by then', async () => {
  const gateway = await standIn("tell('reloaded', 2, id)");
  await gateway.reload(config);
  expect(gateway.url).toBe('http://127.0.0.1:2');
});

test('one that does not answer in time is not taken to have taken it in, and its late answer counts', async () => {
  const gateway = await standIn("setTimeout(tell, 11_000, 'reloaded', 2, id)");
  await expect(gateway.reload(config)).rejects.toMatchObject({
    code: 'GATEWAY_RELOAD_FAILED',
    message: expect.stringContaining('not answered for 10 s'),
  });
  expect(gateway.url).toBe('http://127.0.0.1:1');
  await expect.poll(() => gateway.url, { timeout: 10_000 }).toBe('http://127.0.0.1:2');
}, 30_000);

test('the late answer to a reload is not taken for that to the next one', async () => {
  const gateway = await standIn(
    "if (times === 1) setTimeout(tell, 10_500, 'reloaded', 2, id); else setTimeout(tell, 3_000, 'reload-failed', 2, id);",
  );
  await expect(gateway.reload(config)).rejects.toMatchObject({ code: 'GATEWAY_RELOAD_FAILED' });
  // The first answers while the second is under way, which fails.
  await expect(gateway.reload(config)).rejects.toMatchObject({
    message: expect.stringContaining('it gave no reason'),
  });
}, 30_000);

test('one that ends meanwhile reads the file when it is started again', async () => {
  const gateway = await standIn('process.exit()');
  await expect(gateway.reload(config)).resolves.toBeUndefined();
  await gateway.exited;
});

test('an engine is drained for as long as its requests may take, be it months', async () => {
  const answer = "console.log(JSON.stringify({ event: 'answer', id, result: { inflight: 0 } }))";
  const gateway = await standIn(`setTimeout(() => ${answer}, 200)`);
  const graceMs = 60 * 86_400_000;
  await expect(
    gateway.ask({ do: 'drain', url: 'http://127.0.0.1:3', graceMs, forMs: graceMs }),
  ).resolves.toEqual({ inflight: 0 });
});
