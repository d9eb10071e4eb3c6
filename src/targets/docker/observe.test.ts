import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Mark } from '../../domain/instance.ts';
import { dockerApi } from '../../io/docker-api.ts';
import { localWorld } from '../../io/local-world.ts';
import { bareSpec } from '../../../test/support/bare-spec.ts';
import { startDockerServer } from '../../../test/support/docker-server.ts';
import { writeProcTree } from '../../../test/support/proc-tree.ts';
import { fleetLabel, markLabel } from '../../container/render.ts';
import { faultOf, markedContainers, weighedContainers } from './observe.ts';

const gone = new BerthError('DOCKER_UNREACHABLE', { where: ['unix:///a'], reason: 'ECONNREFUSED' });
const forbidden = new BerthError('DOCKER_FORBIDDEN', { where: 'unix:///a', user: 'op' });
const refused = new BerthError('DOCKER_REFUSED', { question: 'GET /x', status: 500, answer: 'no' });

test('what runs is known where the daemon that new containers go to answers', () => {
  expect(faultOf([[]])).toBeNull();
  expect(faultOf([[], gone])).toBeNull();
  expect(faultOf([forbidden, []])).toBeNull();
});

test('a daemon that cannot be asked before the first that answers may have what is looked for', () => {
  expect(faultOf([gone, []])).toBe(gone);
  expect(faultOf([forbidden, refused, []])).toBe(refused);
});

test('where none answers the fault that can be mended comes first', () => {
  expect(faultOf([forbidden, gone])).toBe(gone);
  expect(faultOf([forbidden])).toBe(forbidden);
});

const mark: Mark = {
  fleet: 'lab',
  fleetId: 'lab',
  deployment: 'a',
  replica: 0,
  target: { kind: 'docker' },
  address: '127.0.0.1',
  port: 8000,
  logFile: '/log',
  declared: {},
  spec: bareSpec,
};

test('a daemon is asked how much memory a container takes only where its processes are not seen, since that is a long question', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-daemon-'));
  const daemon = await startDockerServer(join(folder, 'd.sock'));
  try {
    const api = dockerApi(daemon.host);
    const body = { Labels: { [fleetLabel]: 'lab', [markLabel]: JSON.stringify(mark) } };
    const { json } = await api.ask('POST', '/containers/create?name=a', { body });
    const { Id } = json as { Id: string };
    await api.ask('POST', `/containers/${Id}/start`);
    const asked: string[] = [];
    daemon.refuse = (question) => void asked.push(question);
    const own = { pid: 7, cgroup: `/docker/${Id}`, rssKib: 5 };
    using seen = writeProcTree([own]);
    using unseen = writeProcTree([{ ...own, cgroup: '/' }]);
    const world = { ...localWorld(), env: { DOCKER_HOST: daemon.host } };

    const [weighed] = await weighedContainers({ ...world, procfs: () => seen.path });
    expect(weighed?.rssBytes).toBe(5 * 1024);
    const [plain] = await markedContainers({ ...world, procfs: () => unseen.path });
    expect(plain?.rssBytes).toBeNull();
    expect(asked).not.toContain('GET /containers/ID/stats');
    await weighedContainers({ ...world, procfs: () => unseen.path });
    expect(asked).toContain('GET /containers/ID/stats');
  } finally {
    await daemon.close();
    rmSync(folder, { recursive: true });
  }
});
