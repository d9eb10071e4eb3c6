import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeEngine, freePorts, makePlace, ownPorts } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { tryWrong } from '../support/wrong-input.ts';
import type { WrongInput } from '../support/wrong-input.ts';

let place: Place;
let port: number;
let closed: number;
const hosts = ownPorts();

beforeAll(async () => {
  place = makePlace();
  [port = 0, closed = 0] = await freePorts(2);
  place.write('GGUF', 'm.gguf');
  place.write('just text\n', 'no-program');
  place.env['KUBECONFIG'] = join(place.folder, 'kubeconfig');
});
afterAll(() => place.close());

interface Wish {
  readonly hosts?: string;
  readonly model?: string;
  readonly program?: string;
  readonly deployment?: string;
  readonly engine?: string;
}

function fleet(wish: Wish = {}): string {
  const command = JSON.stringify([wish.program ?? process.execPath, fakeEngine, '{port}']);
  return [
    'version: 1',
    'fleet: lab',
    'id: wrong1',
    wish.hosts ?? hosts,
    `models: {toy: {source: ${wish.model ?? './m.gguf'}}}`,
    'gateway: {listen: ["127.0.0.1:0"]}',
    'console: {listen: "127.0.0.1:0"}',
    'deployments:',
    `  a: {model: toy, ${wish.deployment ?? ''}engine: {kind: command, command: ${command}, startTimeout: 60s${wish.engine ?? ''}}}`,
  ].join('\n');
}

function inCluster(context: string): string {
  return [
    'version: 1',
    'fleet: lab',
    'id: wrong1',
    `hosts: {box: {kubernetes: {context: ${context}, namespace: llm}}}`,
    'models: {toy: {source: ./m.gguf}}',
    'deployments:',
    '  a: {model: toy, engine: {kind: llama.cpp, slots: 1, context: 256}, target: {kind: kubernetes}}',
  ].join('\n');
}

function kubeconfig(): void {
  const text = {
    apiVersion: 'v1',
    kind: 'Config',
    contexts: [{ name: 'far', context: { cluster: 'far', user: 'me' } }],
    clusters: [{ name: 'far', cluster: { server: `https://127.0.0.1:${closed}` } }],
    users: [{ name: 'me', user: { token: 'x' } }],
  };
  place.write(JSON.stringify(text), 'kubeconfig');
}

async function listen(): Promise<() => void> {
  const server: Server = createServer();
  await new Promise<void>((done) => void server.listen(port, '127.0.0.1', done));
  return () => void server.close();
}

const wrongs: readonly WrongInput[] = [
  {
    name: 'a port that another program holds',
    arrange: listen,
    fleet: () => fleet({ deployment: `port: ${port}, ` }),
    code: 1,
    object: () => `Port ${port} on 127.0.0.1`,
    cause: () => `held by process ${process.pid}`,
    cure: () => `name another port than ${port}`,
  },
  {
    name: 'a model that is not there',
    fleet: () => fleet({ model: './none.gguf' }),
    code: 1,
    object: () => join(place.folder, 'none.gguf'),
    cause: 'does not exist',
    cure: 'Check the path',
  },
  {
    name: 'a program that is not there',
    fleet: () => fleet({ program: '/nowhere/engine' }),
    code: 1,
    object: 'The program /nowhere/engine',
    cause: 'is not on this machine; a needs it',
    cure: 'Install /nowhere/engine',
  },
  {
    name: 'a program that may not be executed',
    fleet: () => fleet({ program: join(place.folder, 'no-program') }),
    code: 1,
    object: () => join(place.folder, 'no-program'),
    cause: 'which a needs, cannot be run: this user may not execute it',
    cure: 'name another program',
  },
  {
    name: 'a working folder that is not there',
    fleet: () => fleet({ engine: ', workdir: /nowhere/at-all' }),
    code: 1,
    object: 'The working folder of a /nowhere/at-all',
    cause: 'does not exist',
    cure: 'Check the path',
  },
  {
    name: 'a place for its files that is no folder',
    arrange: () => {
      rmSync(join(place.folder, 'state'), { recursive: true, force: true });
      place.write('', 'state');
      return () => rmSync(join(place.folder, 'state'));
    },
    fleet: () => fleet(),
    code: 1,
    object: () => join(place.folder, 'state'),
    cause: 'could not be written: a file is in the place of a folder',
    cure: 'name another folder with --state-dir',
  },
  {
    name: 'a fleet file that is a folder',
    unseen: true,
    arrange: () => {
      rmSync(join(place.folder, 'models.yaml'), { force: true });
      mkdirSync(join(place.folder, 'models.yaml'));
      return () => rmSync(join(place.folder, 'models.yaml'), { recursive: true });
    },
    fleet: () => `${fleet()}\nimports: [./models.yaml]\n`,
    code: 2,
    object: 'models.yaml',
    cause: 'it is a folder',
    cure: 'Check the path',
  },
  {
    name: 'a cluster without a kubeconfig',
    fleet: () => inCluster('far'),
    code: 2,
    object: () => join(place.folder, 'kubeconfig'),
    cause: 'The context far cannot be looked up',
    cure: 'Set KUBECONFIG',
  },
  {
    name: 'a context that is not there',
    arrange: kubeconfig,
    fleet: () => inCluster('fra'),
    code: 2,
    object: 'There is no context fra',
    cause: 'it has far',
    cure: 'Name one of them in the fleet file',
  },
  {
    name: 'a cluster that does not answer',
    arrange: kubeconfig,
    fleet: () => inCluster('far'),
    code: 6,
    object: () => `The cluster at https://127.0.0.1:${closed}`,
    cause: 'does not answer: ',
    cure: 'kubectl cluster-info',
  },
];

test.each(wrongs)('$name is told with its cause and its cure, and nothing of it is left', async (wrong) => {
  const { before, after } = await tryWrong({ write: place.write, berth: place.berth, traces }, wrong);
  expect(after).toEqual(before);
});

test('the same fleet without a fault starts, so that the cases above fail for their own reason', async () => {
  place.write(fleet());
  const ran = await place.berth('apply', '--yes');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect((await place.berth('down')).code).toBe(0);
});

/** Engines of this place, and what lies in its state beside the logs and what is kept for those who look back. */
function traces(): { engines: string[]; files: string[] } {
  const engines = readdirSync('/proc').filter((pid) => {
    try {
      const text = readFileSync(`/proc/${pid}/environ`, 'utf8');
      return text.includes('BERTH_MARK=') && text.includes(`"logFile":"${place.folder}/`);
    } catch {
      return false;
    }
  });
  return { engines, files: filesBelow(join(place.folder, 'state')) };
}

function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !/\/logs\/|\/ran\/|journal\.jsonl|applied(-secrets)?\.json/.test(path));
  } catch {
    return [];
  }
}
