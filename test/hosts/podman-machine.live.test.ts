import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { until } from '../support/berth.ts';
import { findQuadlet } from './find-quadlet.ts';
import { buildUsualLlama, missingForPodmanMachine, startPodmanMachine } from './podman-machine.ts';
import type { SystemdBox } from './systemd-box.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const missing = missingForPodmanMachine();
const why = missing === null ? '' : ` (skipped: ${missing})`;
const quadlet = findQuadlet();
const withoutQuadlet =
  missing ?? (quadlet === null ? 'no quadlet of podman: tools/live/quadlet.sh gets one' : null);
let box: SystemdBox;

beforeAll(async () => {
  if (missing !== null) return;
  box = startPodmanMachine(quadlet === null ? [] : [dirname(quadlet)]);
  buildUsualLlama(box);
  await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(box.folder, 'm.gguf') });
});
afterAll(() => box?.stop());

/** What it says; throws where it fails. */
function inBox(...argv: string[]): string {
  const ran = box.enter(...argv);
  if (ran.code !== 0) throw new Error(`${argv.join(' ')}: ${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}

function berth(...args: string[]): string {
  const ran = box.berth(args);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  return ran.stdout;
}

function writeFleet(deployment: string, slots = 2): void {
  writeFileSync(
    join(box.folder, 'berth.yaml'),
    `version: 1
fleet: lab
id: podman
models: {toy: {source: ./m.gguf}}
deployments:
  toy: {model: toy, ${deployment}target: {kind: docker}, engine: {kind: llama.cpp, slots: ${slots}, context: 256, threads: 1, cacheRam: 0}}
`,
  );
}

function plan(): Plan {
  return JSON.parse(berth('plan', '--json')) as Plan;
}

function replicas(): FleetStatus['deployments'][number]['replicas'] {
  return (JSON.parse(berth('status', '--json')) as FleetStatus).deployments.flatMap((one) => one.replicas);
}

test.skipIf(missing !== null)(
  `an engine behind podman's bridge answers, and is back after a boot without berth${why}`,
  async () => {
    inBox('systemctl', 'enable', '--now', '--quiet', 'podman.socket', 'podman-restart.service');
    writeFleet('');
    berth('apply');
    const [before] = replicas();
    expect(before?.state).toBe('ready');
    expect(inBox('curl', '--fail', '--silent', `${before?.url}/health`)).toContain('ok');
    expect(inBox('podman', 'ps', '--format', '{{.Ports}}').trim()).toMatch(/^127\.0\.0\.1:\d+->\d+\/tcp$/);

    // What a shutdown and a boot do.
    inBox('systemctl', 'stop', 'podman-restart.service');
    expect(inBox('podman', 'ps', '--quiet')).toBe('');
    inBox('systemctl', 'start', 'podman-restart.service');
    await until(() => Promise.resolve(replicas()[0]?.state === 'ready'), 'the engine to be back');
    expect(plan().actions.map((action) => action.do)).toEqual(['keep']);
    berth('down');
    expect(inBox('podman', 'ps', '--all', '--quiet')).toBe('');
  },
);

test.skipIf(withoutQuadlet !== null)(
  `Quadlet files that are rendered and started by systemctl alone are what berth would apply, and stay with their units${withoutQuadlet === null ? '' : ` (skipped: ${withoutQuadlet})`}`,
  async () => {
    inBox('systemctl', 'start', 'podman.socket');
    const generators = '/etc/systemd/system-generators';
    inBox('mkdir', '-p', generators);
    inBox('cp', quadlet ?? '', `${generators}/podman-system-generator`);
    // Podman 4.3 leaves the file of an id, over which a unit made for a later one falls when it starts again.
    inBox(
      'sh',
      '-c',
      'd=/etc/systemd/system/berth-.service.d; mkdir $d; printf "[Service]\\nExecStopPost=rm -f %%t/%%N.cid\\n" >$d/id.conf',
    );
    const units = ['berth-lab-toy.service', 'berth-lab-toy-1.service'];
    function put(verb: string): void {
      berth('render', '--format', 'quadlet', '--out', 'rendered');
      inBox('cp', '-r', join(box.folder, 'rendered/etc'), '/');
      inBox('systemctl', 'daemon-reload');
      for (const unit of units)
        expect(inBox('systemd-analyze', 'verify', `/run/systemd/generator/${unit}`)).toBe('');
      inBox('systemctl', verb, ...units);
      // Whoever has started them finds engines that answer, since the start itself has asked them; a small model loads too soon to show it.
      for (const unit of units)
        expect(inBox('systemctl', 'show', '--property=ExecStartPost', '--value', unit)).toMatch(
          /\/health.*code=exited ; status=0/,
        );
      const published = inBox('sh', '-c', "sed -n 's/^PublishPort=//p' /etc/containers/systemd/berth-lab-*");
      const places = [...published.matchAll(/^([\d.]+:\d+):\d+$/gm)].map(([, place]) => place);
      expect(places).toHaveLength(units.length);
      for (const place of places)
        expect(inBox('curl', '--fail', '--silent', `http://${place}/health`)).toContain('ok');
    }
    function ready(): Promise<boolean> {
      return Promise.resolve(replicas().filter(({ state }) => state === 'ready').length === 2);
    }
    writeFleet('replicas: 2, resources: {limits: {memory: 900Mi}}, ');
    put('start');
    await until(ready, 'both engines to answer');
    for (const { url } of replicas())
      expect(inBox('curl', '--fail', '--silent', `${url}/health`)).toContain('ok');
    const first = plan();
    // The usual image rolls, which is told and nothing else.
    const rules = first.findings.map(({ rule }) => rule);
    expect([first.actions.map((action) => action.do), rules]).toEqual([['keep', 'keep'], ['rolling-image']]);

    // What a unit would start again is neither ended nor replaced.
    const running = inBox('podman', 'ps', '--quiet', '--no-trunc');
    for (const args of [['down'], ['apply', '--restart', 'toy']]) {
      const refused = box.berth(args);
      expect(refused.code, args.join(' ')).not.toBe(0);
      const said = refused.stdout + refused.stderr;
      expect(said, args.join(' ')).toContain('is kept by the unit berth-lab-toy');
      expect(said, args.join(' ')).toContain('systemctl stop berth-lab-toy');
    }
    expect(inBox('podman', 'ps', '--quiet', '--no-trunc')).toBe(running);

    // A change goes the same way, and what is taken away stays away.
    writeFleet('replicas: 2, resources: {limits: {memory: 900Mi}}, ', 3);
    expect(plan().actions.map((action) => action.do)).toEqual(['replace', 'replace']);
    put('restart');
    await until(ready, 'both engines to answer as the file says now');
    expect(plan().actions.map((action) => action.do)).toEqual(['keep', 'keep']);
    inBox('sh', '-c', 'rm /etc/containers/systemd/berth-*');
    inBox('systemctl', 'stop', ...units);
    inBox('systemctl', 'daemon-reload');
    expect(inBox('podman', 'ps', '--all', '--quiet')).toBe('');
  },
);
