import { appendFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { makeFakeFleet } from '../support/fake-fleet.ts';
import type { FakeFleet } from '../support/fake-fleet.ts';

vi.setConfig({ testTimeout: 300_000 });

let fleet: FakeFleet;

beforeEach(() => {
  fleet = makeFakeFleet();
});

afterEach(() => fleet.close());

const contained =
  '  boxed: {engine: {kind: command, command: [serve, "{port}"], slots: 1}, target: {kind: docker, image: "a/b:1", entrypoint: [serve]}}';

async function plan(): Promise<Plan> {
  return (await fleet.place.berth('plan', '--json')).json();
}

test('a container engine that is not there leaves its deployments as they are, and the others are applied', async () => {
  const { berth, env, folder } = fleet.place;
  env['DOCKER_HOST'] = `unix://${join(folder, 'none.sock')}`;
  fleet.write({ a: '' }, { top: contained });
  const { actions, unreached, findings } = await plan();
  expect(actions.map((action) => `${action.do} ${action.deployment}`)).toEqual(['start a']);
  expect(unreached).toEqual([{ host: 'local', target: 'docker', code: 'DOCKER_UNREACHABLE' }]);
  const [told] = findings.filter(({ rule }) => rule === 'target-unreachable');
  expect(told?.message).toContain(
    'a container of Docker or podman is not known: No container engine answers',
  );

  const applied = await berth('apply', '--yes');
  expect([applied.code, applied.stdout]).toEqual([
    7,
    expect.stringContaining('Done: start a. Nothing was done on local (docker).'),
  ]);
  expect(applied.stdout).toContain('set DOCKER_HOST to where it listens');
  expect((await berth('apply', '--yes')).code).toBe(6);
  const { deployments } = (await berth('status', '--json')).json() as FleetStatus;
  expect(deployments.map(({ name, replicas }) => [name, replicas[0]?.state])).toEqual([
    ['a', 'ready'],
    ['boxed', 'unreachable'],
  ]);
  const audit = (await berth('audit', '--json')).json() as { findings: { rule: string; object: string }[] };
  const rules = audit.findings.filter(({ object }) => object === 'boxed' || object === 'local');
  expect(rules.map(({ rule }) => rule)).toEqual(['host-unreachable']);
  expect((await berth('logs', 'boxed')).code).toBe(6);
  const down = await berth('down');
  expect(down.stdout).toContain('Host local (docker) could not be looked at');
});

test('a container engine that answers with a fault has not said that nothing runs', async () => {
  const socket = join(fleet.place.folder, 'd.sock');
  const server = createServer((_request, response) => {
    response.writeHead(500, { 'content-type': 'application/json' });
    response.end('{"message":"the store is locked"}');
  });
  await new Promise<void>((done) => void server.listen(socket, done));
  try {
    fleet.place.env['DOCKER_HOST'] = `unix://${socket}`;
    fleet.write({ a: '' }, { top: contained });
    const { actions, unreached, findings } = await plan();
    expect(actions.map(({ deployment }) => deployment)).toEqual(['a']);
    expect(unreached).toEqual([{ host: 'local', target: 'docker', code: 'DOCKER_REFUSED' }]);
    expect(findings.map(({ message }) => message).join()).toContain('the store is locked');
    // A fleet that has no containers hears nothing of it.
    fleet.write({ a: '' });
    expect((await plan()).findings.filter(({ rule }) => rule === 'target-unreachable')).toEqual([]);
  } finally {
    server.close();
  }
});

/** As the journal of a fleet tells of a container that was started in this place. */
function startedBefore(deployment: string): void {
  const state = join(fleet.place.folder, 'state/state');
  const [lab = ''] = readdirSync(state).filter((name) => name.startsWith('lab-'));
  const line = { version: 1, id: `earlier-${deployment}`, at: '2026-01-01T00:00:00.000Z' };
  const who = { uid: 0, user: null, sudoUser: null, machine: 'm' };
  const by = { who, process: { bootId: 'b', pid: 1, startTicks: 1 }, command: 'apply', plan: null };
  const place = { do: 'start', host: 'local', deployment, replica: 0, object: null, target: 'docker' };
  const lines = [
    { ...line, phase: 'begin', ...by, ...place, reasons: [] },
    { ...line, phase: 'done', became: `container ${deployment}`, error: null },
  ];
  for (const one of lines) appendFileSync(join(state, lab, 'journal.jsonl'), `${JSON.stringify(one)}\n`);
}

test('a container that left the file, or became a process, while its daemon is silent is told as not removed', async () => {
  const { berth, env, folder } = fleet.place;
  env['DOCKER_HOST'] = `unix://${join(folder, 'none.sock')}`;
  fleet.write({ a: '' });
  expect((await berth('apply', '--yes')).code).toBe(0);
  expect((await plan()).findings.filter(({ rule }) => rule === 'not-removed')).toEqual([]);
  startedBefore('gone');
  startedBefore('a');
  startedBefore('boxed');
  fleet.write({ a: '' }, { top: contained });
  const { actions, findings } = await plan();
  expect(actions.map((action) => `${action.do} ${action.deployment}`)).toEqual(['keep a']);
  const told = findings.filter(({ rule }) => rule === 'not-removed');
  expect(told.map(({ object, evidence }) => [object, ...evidence])).toEqual([
    ['a', 'DOCKER_UNREACHABLE', 'container a'],
    ['gone', 'DOCKER_UNREACHABLE', 'container gone'],
  ]);
  expect(told.map(({ message }) => message).join('\n')).toMatch(
    /the file wants it as .*process.* on host local: .*\n.*the file no longer names this deployment: /,
  );
  expect(told[0]?.cure).toContain('Then run "berth apply" again');
  expect((await fleet.status()).findings.map(({ rule }) => rule)).toContain('not-removed');
});
