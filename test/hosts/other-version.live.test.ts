import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { ClusterPlace } from '../../src/domain/host-access.ts';
import { localFiles } from '../../src/io/files.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { clusterWorld, placeOf } from '../../src/kube/cluster-world.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { fakeEngine, makePlace, ownPorts, until } from '../support/berth.ts';
import type { Place, Ran } from '../support/berth.ts';
import { specsFolder } from '../support/kube-schema.ts';
import { otherVersion } from '../support/other-version.ts';
import type { SourceChange } from '../support/other-version.ts';
import { importLlama, llamaImage, llamaTree, missingFor, startBox } from './container-box.ts';
import type { ContainerBox, ContainerEngine } from './container-box.ts';
import { claimOf } from './kserve-claim.ts';
import { startStandIn } from './kserve-stand-in.ts';
import { llamaImage as kubeImage, missingForCluster, startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { BoxRan, SystemdBox } from './systemd-box.ts';

const bin = resolve(import.meta.dirname, '../../bin/berth.js');

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 });

const lacks = missingForSystemd();
if (lacks !== '') console.info(`another version with systemd: not run, ${lacks} is missing`);

describe.skipIf(lacks !== '')('units of systemd that another version of berth wrote', () => {
  let box: SystemdBox;
  let newer: string;

  beforeAll(() => {
    box = startSystemdBox();
    newer = otherVersion(join(box.folder, 'newer'), [
      { file: 'src/engines/command.ts', from: "Duration.prefault('30s')", to: "Duration.prefault('31s')" },
      {
        file: 'src/targets/systemd/render.ts',
        from: "['Type', 'exec'],",
        to: "['Type', 'exec'], ['OOMPolicy', 'stop'],",
      },
    ]);
  });
  afterAll(() => box?.stop());

  function byNewer(...args: string[]): BoxRan {
    const line = 'cd "$0" && BERTH_STATE_DIR="$0/state" exec "$@"';
    return box.enter('sh', '-c', line, box.folder, process.execPath, newer, ...args);
  }

  function pidOf(): number | null {
    const status = JSON.parse(box.berth(['status', '--json']).stdout) as FleetStatus;
    return status.deployments[0]?.replicas[0]?.pid ?? null;
  }

  test('are left as they are by a plan, which says what this one would write otherwise', () => {
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
    writeFileSync(
      join(box.folder, 'berth.yaml'),
      `version: 1\nfleet: lab\nid: other2\ndeployments:\n  a: {target: {kind: systemd}, engine: {kind: command, command: ${command}, startTimeout: 60s}}\n`,
    );
    const applied = box.berth(['apply']);
    expect(applied.code, applied.stderr).toBe(0);
    const pid = pidOf();

    const planned = byNewer('plan', '--json');
    expect(planned.code, planned.stderr).toBe(0);
    const { actions, findings } = JSON.parse(planned.stdout) as Plan;
    expect(actions.map((action) => action.do)).toEqual(['keep']);
    const found = findings.find(({ rule }) => rule === 'rendered-otherwise');
    expect(found).toMatchObject({ object: 'a-0', severity: 'info' });
    const evidence = found?.evidence.join('\n') ?? '';
    expect(evidence).toContain('"graceMs":31000');
    expect(evidence).toContain('berth-lab-a.service: + OOMPolicy=stop');
    expect(findings.map(({ rule }) => rule)).not.toContain('drift');
    expect(byNewer('apply', '--yes').code).toBe(0);
    expect(pidOf()).toBe(pid);

    const refreshed = byNewer('apply', '--yes', '--refresh');
    expect(refreshed.code, refreshed.stderr).toBe(0);
    expect(pidOf()).not.toBe(pid);
    const after = JSON.parse(byNewer('plan', '--json').stdout) as Plan;
    expect(after.findings.map(({ rule }) => rule)).not.toContain('rendered-otherwise');
    expect(box.berth(['down']).code).toBe(0);
  });
});

/** Another default of the engine, which the file does not state. */
const otherDefault = {
  file: 'src/engines/llama-cpp/launch.ts',
  from: "stop: { signal: 'SIGTERM'",
  to: "stop: { signal: 'SIGINT'",
};

interface OtherVersion {
  readonly changes: readonly SourceChange[];
  /** What stands in the evidence of what is rendered otherwise. */
  readonly rendered: string;
  /** Changes a field of the live object behind berth's back; gives its name. Absent where its keeper changes none. */
  readonly meddle?: () => Promise<string>;
}

/** Each of two versions leaves alone what the other made, says what is its own, and takes over on request. */
async function expectFinding(place: Place, text: string, other: OtherVersion): Promise<void> {
  const newer = otherVersion(mkdtempSync(join(place.folder, 'newer-')), other.changes);
  place.write(text);
  expectFine(await place.berth('apply', '--yes'));
  const before = await sinceOf(place);

  const plan = await planOf(place, newer);
  expect(plan.actions.map((action) => action.do)).toEqual(['keep']);
  const found = plan.findings.find(({ rule }) => rule === 'rendered-otherwise');
  expect(found).toMatchObject({ object: 'a-0', severity: 'info' });
  const evidence = found?.evidence.join('\n') ?? '';
  expect(evidence).toContain('SIGINT');
  expect(evidence).toContain(other.rendered);
  expect(plan.findings.map(({ rule }) => rule)).not.toContain('drift');
  expectFine(await by(newer, place, 'apply', '--yes'));
  expect(await sinceOf(place)).toBe(before);

  expectFine(await by(newer, place, 'apply', '--yes', '--refresh'));
  expect(await sinceOf(place)).not.toBe(before);
  const after = await planOf(place, newer);
  expect(after.findings.filter(({ rule }) => /^(rendered-otherwise|drift)$/.test(rule))).toEqual([]);

  const field = await other.meddle?.();
  const { actions, findings } = await planOf(place, bin);
  expect(actions.map((action) => action.do)).toEqual(['keep']);
  expect(findings.map(({ rule }) => rule)).toContain('rendered-otherwise');
  if (field !== undefined) expectDrift(findings, field);
  expectFine(await place.berth('down'));
}

function expectDrift(findings: Plan['findings'], field: string): void {
  const drift = findings.find(({ rule }) => rule === 'drift');
  expect(drift?.evidence, JSON.stringify(findings)).toHaveLength(1);
  expect(drift?.message).toContain(field);
}

function expectFine({ code, stdout, stderr }: Omit<Ran, 'json'>): void {
  expect(code, stdout + stderr).toBe(0);
}

/** Another berth than this one, in the same place. */
function by(program: string, place: Place, ...args: string[]): Promise<Omit<Ran, 'json'>> {
  return new Promise((done) => {
    const options = { cwd: place.folder, env: place.env, maxBuffer: 2 ** 26 };
    const child = execFile(process.execPath, [program, ...args], options, (_, stdout, stderr) =>
      done({ code: child.exitCode, stdout, stderr }),
    );
  });
}

async function planOf(place: Place, program: string): Promise<Plan> {
  const planned = await by(program, place, 'plan', '--json');
  expect(planned.code, planned.stderr).toBe(0);
  return JSON.parse(planned.stdout) as Plan;
}

async function sinceOf(place: Place): Promise<string | null> {
  const status: FleetStatus = (await place.berth('status', '--json')).json();
  return status.deployments[0]?.replicas[0]?.since ?? null;
}

const lib = '/usr/lib/x86_64-linux-gnu';
/** The program of the image. */
const entrypoint = JSON.stringify([
  '/usr/lib64/ld-linux-x86-64.so.2',
  '--library-path',
  `${lib}:${lib}/ggml:${lib}/llama`,
  '/usr/bin/llama-server',
]);

function fleetOf(hosts: string, deployment: string, model = './m.gguf'): string {
  const env = `env: {GGML_BACKEND_PATH: ${llamaTree()?.backend ?? ''}}`;
  const engine = `engine: {kind: llama.cpp, slots: 1, context: 256, threads: 1, cacheRam: 0, startTimeout: 90s, ${env}}`;
  return `version: 1\nfleet: lab\nid: other3\n${hosts}\nmodels: {toy: {source: ${model}}}\ndeployments:\n  a: {model: toy, ${deployment}, ${engine}}\n`;
}

async function placeWithModel(): Promise<Place> {
  const place = makePlace();
  // The user that an engine runs as is not the one who made the folder.
  chmodSync(place.folder, 0o755);
  await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
  chmodSync(join(place.folder, 'm.gguf'), 0o644);
  return place;
}

describe.each<ContainerEngine>(['docker', 'podman'])(
  'containers of %s that another version of berth made',
  (engine) => {
    const missing = missingFor(engine);
    let box: ContainerBox;
    let place: Place;

    beforeAll(async () => {
      if (missing !== null) return;
      box = await startBox(engine);
      place = await placeWithModel();
      place.env['DOCKER_HOST'] = box.host;
    });
    async function changeMemory(): Promise<string> {
      const list = (await box.api.ask('GET', '/containers/json')).json as { Id: string }[];
      const body = { Memory: 2 ** 30, MemorySwap: 2 ** 30 };
      const { status } = await box.api.ask('POST', `/containers/${list[0]?.Id}/update`, { body });
      expect(status).toBe(200);
      return 'memory';
    }

    afterAll(async () => {
      await place?.berth('down');
      await place?.close();
      box?.stop();
    });

    test.skipIf(missing !== null)(
      'are left as they are, and what it would write otherwise is told apart from what somebody changed',
      async () => {
        expect.hasAssertions();
        await importLlama(box);
        const target = `target: {kind: docker, ${engine === 'podman' ? 'network: host, ' : ''}image: "${llamaImage}", pull: never, entrypoint: ${entrypoint}}`;
        const render = 'src/container/render.ts';
        await expectFinding(place, fleetOf(ownPorts(), target), {
          changes: [
            otherDefault,
            { file: render, from: "'no-new-privileges'", to: "'no-new-privileges:true'" },
            {
              file: render,
              from: 'RestartPolicy: { Name: restartOf(options, facts) }',
              to: "RestartPolicy: { Name: 'always' }",
            },
          ],
          rendered: '+ HostConfig.SecurityOpt: ["no-new-privileges:true"',
          ...(engine === 'docker' ? { meddle: changeMemory } : {}),
        });
      },
    );
  },
);

const noCluster = missingForCluster();
const noKserve = specsFolder === undefined ? ' (not run: no definitions of KServe)' : '';

describe.skipIf(noCluster !== null)('objects of a cluster that another version of berth made', () => {
  let box: KubeBox;
  let place: Place;

  beforeAll(async () => {
    box = await startCluster();
    place = await placeWithModel();
    place.env['KUBECONFIG'] = box.kubeconfig;
  });
  afterAll(async () => {
    await place?.berth('down');
    await place?.close();
    box?.stop();
  });

  test('are left as they are, and what it would write otherwise is told apart from what somebody changed', async () => {
    expect.hasAssertions();
    const target = `host: box, port: 8081, target: {kind: kubernetes, image: "${kubeImage}", pull: Never, preStop: 0, entrypoint: ${entrypoint}}`;
    const hosts = 'hosts: {box: {kubernetes: {context: box, namespace: other, createNamespace: true}}}';
    await expectFinding(place, fleetOf(hosts, target), {
      changes: [
        otherDefault,
        {
          file: 'src/targets/kubernetes/pod.ts',
          from: 'enableServiceLinks: false',
          to: 'enableServiceLinks: false, shareProcessNamespace: false',
        },
      ],
      rendered: 'Deployment a: + spec.template.spec.shareProcessNamespace: false',
      meddle: async () => {
        const patch = JSON.stringify({ spec: { progressDeadlineSeconds: 700 } });
        box.kubectl('-n', 'other', 'patch', 'deployment', 'a', '--field-manager=ops', '-p', patch);
        return Promise.resolve('spec.progressDeadlineSeconds');
      },
    });
  });

  test.skipIf(noKserve !== '')(`the same of services of KServe${noKserve}`, async () => {
    expect.hasAssertions();
    for (const kind of ['inferenceservices', 'servingruntimes']) {
      box.kubectl('apply', '--server-side', '-f', join(specsFolder ?? '', `serving.kserve.io_${kind}.yaml`));
      await until(() => Promise.resolve(isKnown(kind)), `${kind} to be known`);
    }
    box.kubectl('create', 'namespace', 'models');
    place.write(JSON.stringify(claimOf(place.folder, 'models')), 'claim.json');
    box.kubectl('apply', '-f', join(place.folder, 'claim.json'));
    const cluster = ClusterPlace.parse({ context: 'box', namespace: 'models', kubeconfig: box.kubeconfig });
    const standIn = startStandIn(await placeOf(await clusterWorld(localWorld(), cluster)));
    onTestFinished(() => standIn.stop());
    const target = `host: box, target: {kind: kserve, image: "${kubeImage}", format: gguf, entrypoint: ${entrypoint}}`;
    const hosts = 'hosts: {box: {kubernetes: {context: box, namespace: models}}}';
    const model = './m.gguf, at: {box: {pvc: weights, path: m.gguf}}';
    await expectFinding(place, fleetOf(hosts, target, model), {
      changes: [
        otherDefault,
        {
          file: 'src/targets/kserve/manifests.ts',
          from: 'allowPrivilegeEscalation: false',
          to: 'allowPrivilegeEscalation: false, privileged: false',
        },
      ],
      rendered: 'ServingRuntime a: + spec.containers.kserve-container.securityContext.privileged: false',
      meddle: async () => {
        const patch = JSON.stringify({ spec: { predictor: { terminationGracePeriodSeconds: 31 } } });
        const options = ['--type=merge', '--field-manager=ops', '-p', patch];
        box.kubectl('-n', 'models', 'patch', 'inferenceservice', 'a', ...options);
        return Promise.resolve('spec.predictor.terminationGracePeriodSeconds');
      },
    });
  });

  function isKnown(kind: string): boolean {
    try {
      return box.kubectl('get', kind, '-A', '-o', 'name') === '';
    } catch {
      return false;
    }
  }
});
