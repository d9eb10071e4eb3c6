import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AuditReport } from '../../src/domain/audit/report.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { createFakes } from '../scenarios/scan/fakes.ts';
import { importLlama, llamaImage, missingFor, startBox } from './container-box.ts';
import type { ContainerBox } from './container-box.ts';
import { missingForSsh } from './missing-for-ssh.ts';

const box = resolve(import.meta.dirname, 'ssh-box.sh');
const port = 18_760;

const lacks = missingForSsh();
if (lacks !== '') console.info(`audit of hosts: not run, ${lacks} is missing`);

const noDocker = missingFor('docker');
if (noDocker !== null) console.info(`containers of hosts: not run, ${noDocker}`);

let folder: string;
let place: Place;

async function audit(...words: string[]): Promise<AuditReport> {
  const { stdout, stderr } = await place.berth('audit', '--json', '--timeout', '20s', ...words);
  try {
    return AuditReport.parse(JSON.parse(stdout));
  } catch {
    throw new Error(stderr || stdout);
  }
}

describe.skipIf(lacks !== '')('the audit of hosts of the fleet file', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-ssh-box-'));
    execFileSync(box, ['start', folder], { stdio: 'pipe' });
    place = makePlace();
    place.env['PATH'] = `${folder}/bin:${place.env['PATH']}`;
  }, 60_000);

  afterAll(async () => {
    await place.close();
    execFileSync(box, ['stop', folder], { stdio: 'pipe' });
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  test('a server on another machine is found there with the facts of that machine; a host that does not answer is a finding', async () => {
    using fakes = createFakes();
    const program = fakes.program('llama-server');
    const model = join(fakes.dir, 'far.gguf');
    writeFileSync(model, 'not read');
    const words = ['enter', folder, program, '-m', model, '--port', String(port), '--api-key', 'sk-secret'];
    // It ends with the box.
    const server = spawn(box, words, { stdio: 'ignore' });
    place.write(
      'version: 1\nfleet: lab\nid: aud1\nhosts: {far: {ssh: box}, dead: {ssh: dead}}\ndeployments: {}\n',
    );
    const far = await until(async () => {
      const report = await audit('--host', 'far');
      return report.servers === 1 ? report : null;
    }, 'the server of the other machine');
    expect(far.findings.map(({ rule, host }) => [rule, host])).toContainEqual(['secret-in-argv', 'far']);
    expect(far.findings.every((one) => one.object.endsWith(' on far'))).toBe(true);
    expect(JSON.stringify(far)).not.toContain('sk-secret');
    const all = await audit();
    expect(all.servers).toBeGreaterThanOrEqual(1);
    expect(all.findings.map(({ rule, object }) => `${rule} ${object}`)).toContainEqual(
      'host-unreachable dead',
    );
    expect(all.findings.some(({ rule, host }) => rule === 'secret-in-argv' && host === 'far')).toBe(true);
    const text = await place.berth('audit', '--host', 'far', '--timeout', '20s');
    expect(text.stdout).toMatch(/llama\.cpp far\.gguf \(process \d+\) on far: /);
    const wrong = await place.berth('audit', '--host', 'elsewhere');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('known are local, far, dead')]);
    server.kill('SIGKILL');
  }, 300_000);

  test.skipIf(noDocker !== null)(
    'a container of another machine is looked at by its daemon, and what the audit prints removes it there',
    async () => {
      const enter = [box, 'enter', folder];
      let docker: ContainerBox | null = null;
      try {
        docker = await startBox('docker', { before: enter });
        const { entrypoint } = await importLlama(docker);
        const socket = docker.host.slice('unix://'.length);
        execFileSync(box, ['enter', folder, 'ln', '-sfn', socket, '/run/docker.sock'], { stdio: 'pipe' });
        const body = { Image: llamaImage, Entrypoint: entrypoint, Cmd: ['-m', '/models/old.gguf'] };
        const made = await docker.api.ask('POST', '/containers/create?name=left-over', { body });
        expect(made.status).toBe(201);
        place.write(
          'version: 1\nfleet: lab\nid: aud1\nhosts: {far: {ssh: box}}\ndeployments: {}\n',
          'lab.yaml',
        );
        const words = ['--host', 'far', '--file', 'lab.yaml'];
        const { findings } = await audit(...words);
        const left = findings.filter((one) => one.rule === 'orphan-container');
        expect(left.map((one) => one.object)).toEqual(['container left-over on far']);
        const printed = left.flatMap((one) => one.commands ?? []);
        expect(printed).toEqual(['berth remove container:left-over --host far --file lab.yaml']);
        for (const line of printed) {
          const ran = await place.berth(...line.split(' ').slice(1), '--yes');
          expect(ran.code, ran.stderr).toBe(0);
        }
        expect((await docker.api.ask('GET', '/containers/left-over/json')).status).toBe(404);
        const again = (await audit(...words)).findings.map((one) => one.rule);
        expect(again).not.toContain('orphan-container');
        // As its daemon tells of them: two that it is to start at boot, with one port of the machine.
        const RestartPolicy = { Name: 'always' };
        for (const name of ['day', 'night']) {
          const PortBindings = {
            '8080/tcp': [{ HostIp: name === 'day' ? '' : '127.0.0.1', HostPort: '9000' }],
          };
          const twin = { ...body, HostConfig: { RestartPolicy, PortBindings } };
          await docker.api.ask('POST', `/containers/create?name=${name}`, { body: twin });
        }
        const clashes = (await audit(...words)).findings.filter((one) => one.rule === 'port-conflict');
        expect(clashes.map((one) => one.message)).toEqual(['Both want port 9000 of this machine.']);
        expect(clashes[0]?.evidence.toSorted()).toEqual([
          'container day (created): 0.0.0.0:9000',
          'container night (created): 127.0.0.1:9000',
        ]);
      } finally {
        docker?.stop();
      }
    },
    300_000,
  );
});
