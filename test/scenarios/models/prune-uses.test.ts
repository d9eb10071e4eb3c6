import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { contentOf, startHub, sumOf } from '../../support/hub-server.ts';
import type { HubServer } from '../../support/hub-server.ts';
import { filesBelow, pathOf } from './stored.ts';

vi.setConfig({ testTimeout: 300_000 });

const source = 'hf://lab/tiny/tiny.bin';
let place: Place;
let hub: HubServer;
let daemon: http.Server;
/** What the daemon answers of its one container, which does not run; null: it answers with a fault. */
let stopped: object | null;

beforeEach(async () => {
  place = makePlace();
  hub = await startHub();
  hub.files.set('tiny.bin', contentOf(5000));
  daemon = http.createServer(({ url }, reply) => {
    const list = [{ Id: 'c0ffee', State: 'exited' }];
    reply.writeHead(stopped === null ? 500 : 200, { 'content-type': 'application/json' });
    reply.end(JSON.stringify(url?.includes('/containers/json') ? list : stopped));
  });
  const socket = join(place.folder, 'd.sock');
  await new Promise<void>((done) => void daemon.listen(socket, done));
  stopped = { Config: {} };
  Object.assign(place.env, { HF_ENDPOINT: hub.url, HOME: place.folder, DOCKER_HOST: `unix://${socket}` });
});

afterEach(async () => {
  await place.close();
  await hub.stop();
  daemon.close();
  daemon.closeAllConnections();
});

async function prune(): Promise<string> {
  return (await place.berth('models', 'prune', '--all', '--yes')).stdout;
}

test('prune leaves what a stopped container is given, as a mount, by its arguments or a variable, under any name', async () => {
  const path = pathOf(await place.berth('pull', source, '--json'));
  const [tree, trees] = [join(path, '..'), join(path, '../..')];
  mkdirSync(join(place.folder, 'mine'));
  linkSync(path, join(place.folder, 'mine/best.gguf'));
  const mine = { Source: join(place.folder, 'mine'), Destination: '/models' };
  for (const container of [
    { Config: {}, Mounts: [{ Source: tree, Destination: '/model' }] },
    {
      Config: {},
      Args: ['-m', `/m/${path.slice(trees.length + 1)}`],
      Mounts: [{ Source: trees, Destination: '/m' }],
    },
    { Config: {}, Args: ['--model=/models/best.gguf'], Mounts: [mine] },
    { Config: { Env: ['LLAMA_ARG_MODEL=best.gguf'], WorkingDir: '/models' }, Mounts: [mine] },
  ]) {
    stopped = container;
    expect(await prune(), JSON.stringify(container)).toContain(
      `${source} stays: an engine, a container or a unit of this machine is given it.`,
    );
  }
  stopped = null;
  expect((await place.berth('models', 'prune', '--all')).stdout).toContain(
    'does not tell what its containers are given',
  );
  const refused = await place.berth('models', 'prune', '--all', '--yes');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('"--unseen" takes it away');
  expect(filesBelow(trees)).not.toEqual([]);
  stopped = { Config: {}, Args: ['--model=/models/other.gguf'], Mounts: [mine] };
  expect(await prune()).toContain('Taken away: 1 models');
});

test('prune takes what a daemon does not tell of by a word alone', async () => {
  pathOf(await place.berth('pull', source, '--json'));
  stopped = null;
  const pruned = await place.berth('models', 'prune', '--all', '--yes', '--unseen');
  expect(pruned.stdout).toContain('Taken away: 1 models');
  // Nothing would go, so that nothing is refused.
  expect((await place.berth('models', 'prune', '--all', '--yes')).code).toBe(0);
});

test('prune leaves what a unit or a Quadlet file is given under another name of the file', async () => {
  const path = pathOf(await place.berth('pull', source, '--json'));
  mkdirSync(join(place.folder, 'mine'));
  linkSync(path, join(place.folder, 'mine/best.gguf'));
  mkdirSync(join(place.folder, 'linked/tiny'), { recursive: true });
  symlinkSync(path, join(place.folder, 'linked/tiny/any.gguf'));
  mkdirSync(join(place.folder, '.config/containers/systemd'), { recursive: true });
  place.write('LLAMA_ARG_MODEL=/models/best.gguf\n', '.config/containers/systemd/toy.env');
  place.write(`# LLAMA_ARG_MODEL=\nLLAMA_ARG_MODEL="${place.folder}/mine/best.gguf"\n`, 'mine/toy.env');
  for (const folder of ['systemd/user/toy.service.d', 'containers/systemd'])
    mkdirSync(join(place.folder, '.config', folder), { recursive: true });
  for (const [name, text] of [
    ['systemd/user/toy.service', '[Service]\nExecStart=/usr/bin/llama-server \\\n  -m "%h/mine/best.gguf"\n'],
    [
      'systemd/user/toy.service',
      `[Service]\nWorkingDirectory=${place.folder}/mine\nExecStart=llama-server -m best.gguf\n`,
    ],
    [
      'systemd/user/toy.service.d/model.conf',
      `[Service]\nEnvironment="LLAMA_ARG_MODEL=${place.folder}/mine/best.gguf"\n`,
    ],
    [
      'containers/systemd/toy.container',
      '[Container]\nVolume=%h/mine:/models:ro\nExec=-m /models/best.gguf\n',
    ],
    ['systemd/user/toy.service', `[Service]\nEnvironmentFile=-%h/mine/toy.env\nExecStart=llama-server\n`],
    ['containers/systemd/toy.container', '[Container]\nVolume=%h/mine:/models:ro\nEnvironmentFile=toy.env\n'],
    [
      'systemd/user/toy.service',
      `[Service]\nEnvironmentFile=${place.folder}/m*/%p.[a-e]nv\nExecStart=llama-server\n`,
    ],
    ['systemd/user/toy.service', '[Service]\nExecStart=llama-server --models-dir "%h/linked"\n'],
    [
      'containers/systemd/toy.container',
      '[Container]\nVolume=%h/linked:/models:ro\nEnvironment=LLAMA_ARG_MODELS_DIR=/models\n',
    ],
  ] as const) {
    place.write(text, `.config/${name}`);
    expect(await prune(), text).toContain(`${source} stays`);
    place.write('', `.config/${name}`);
  }
  expect(await prune()).toContain('Taken away: 1 models');
});

test('prune leaves what a drop-in names beside what another folder says of the same unit', async () => {
  const path = pathOf(await place.berth('pull', source, '--json'));
  mkdirSync(join(place.folder, 'mine'));
  linkSync(path, join(place.folder, 'mine/best.gguf'));
  mkdirSync(join(place.folder, '.local/share/systemd/user'), { recursive: true });
  mkdirSync(join(place.folder, '.config/systemd/user/toy.service.d'), { recursive: true });
  place.write(`[Service]\nWorkingDirectory=${place.folder}/mine\n`, '.local/share/systemd/user/toy.service');
  place.write(
    '[Service]\nExecStart=llama-server -m best.gguf\n',
    '.config/systemd/user/toy.service.d/m.conf',
  );
  expect(await prune()).toContain(`${source} stays`);
});

test('prune says which file of variables cannot be read, and takes nothing but by a word', async () => {
  pathOf(await place.berth('pull', source, '--json'));
  mkdirSync(join(place.folder, '.config/systemd/user'), { recursive: true });
  // It is there, and nobody can read its beginning, not even root.
  const closed = '/proc/self/mem';
  place.write(`[Service]\nEnvironmentFile=-${closed}\n`, '.config/systemd/user/toy.service');
  expect((await place.berth('models', 'prune', '--all')).stdout).toContain(`${closed} cannot be read`);
  const refused = await place.berth('models', 'prune', '--all', '--yes');
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining(`${closed}, which a unit names`),
  ]);
  const pruned = await place.berth('models', 'prune', '--all', '--yes', '--unseen', '--json');
  expect(pruned.json()).toMatchObject({ unread: [closed], models: [{ source }] });
});

test('prune opens no FIFO and no socket that a pattern fits, and follows links to files', async () => {
  const path = pathOf(await place.berth('pull', source, '--json'));
  mkdirSync(join(place.folder, '.config/systemd/user'), { recursive: true });
  mkdirSync(join(place.folder, 'mine'));
  execFileSync('mkfifo', [join(place.folder, 'mine/a.env')]);
  symlinkSync(join(place.folder, 'd.sock'), join(place.folder, 'mine/b.env'));
  const unit = '[Service]\nEnvironmentFile=-%h/mine/*.env\nExecStart=llama-server\n';
  place.write(unit, '.config/systemd/user/toy.service');
  expect((await place.berth('models', 'prune', '--all', '--json')).json()).toMatchObject({ unread: [] });
  place.write(`LLAMA_ARG_MODEL=${path}\n`, 'toy.env');
  symlinkSync(join(place.folder, 'toy.env'), join(place.folder, 'mine/c.env'));
  expect(await prune()).toContain(`${source} stays`);
});

test('prune leaves what a refresh has brought that broke off', async () => {
  hub.files.clear();
  for (const n of [1, 2]) hub.files.set(`m-0000${n}-of-00002.gguf`, contentOf(1000, n));
  pathOf(await place.berth('pull', 'hf://lab/tiny', '--json'));
  place.write('version: 1\nfleet: lab\nmodels: {kept: {source: "hf://lab/tiny"}}\n');
  hub.revision = 'beef';
  for (const n of [1, 2]) hub.files.set(`m-0000${n}-of-00002.gguf`, contentOf(1000, n + 5));
  hub.fault = ({ path }) => (path.includes('00002-of') ? { do: 'status', status: 404 } : null);
  expect((await place.berth('pull', '--refresh')).code).toBe(1);
  const fresh = `sha256-${sumOf(contentOf(1000, 6))}`;
  const blobs = join(place.folder, 'state/data/models/blobs');
  expect(filesBelow(blobs)).toContain(fresh);
  const pruned = await place.berth('models', 'prune', '--yes', '--json');
  expect(pruned.json()).toMatchObject({ blobs: 0, partials: 0 });
  expect(filesBelow(blobs)).toContain(fresh);
  await place.berth('models', 'prune', '--all', '--yes');
  expect(filesBelow(blobs)).toEqual([]);
});
