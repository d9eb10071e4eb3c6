import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { Plan } from '../../src/domain/plan.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { canaries } from '../support/canary.ts';

let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(() => place.close());

const engine = 'engine: {kind: llama.cpp, binary: /opt/llama-server}';

function fleet(deployments: string, { hosts = '', more = '' } = {}): void {
  place.write(`version: 1
fleet: lab
id: k3x9
hosts:
  one: {ssh: op@one, ports: 19000-19002, reserve: [19001]}
  two: {ssh: op@two, ports: 19000-19009}
  again: {ssh: op@two, become: sudo, ports: 19000-19009}
${hosts}
models:
  m: {source: /srv/models/mistral.Q5_K_M.gguf}
  h: {source: "hf://mistralai/Mistral-7B-Instruct-v0.2", secret: "\${env:HUB_TOKEN}"}
${more}
deployments:
${deployments}`);
}

function units(folder: string): string[] {
  return readdirSync(join(place.folder, folder, 'etc/systemd/system'))
    .filter((name) => name.endsWith('.service'))
    .toSorted();
}

function portOf(path: string): string | undefined {
  return /"--port" "(\d+)"/.exec(readFileSync(join(place.folder, path), 'utf8'))?.[1];
}

test('what is for two machines goes into a folder for each, with the ports of each, and it is said which is whose', async () => {
  fleet(`  a: {model: m, host: one, replicas: 2, ${engine}}
  b: {model: m, host: two, ${engine}}
  c: {model: m, host: again, ${engine}}
`);
  const ran = await place.berth('render', '--format', 'systemd', '--out', 'units');
  expect(ran.code, ran.stderr).toBe(0);
  expect(readdirSync(join(place.folder, 'units'))).toEqual(['.berth-rendered', 'one', 'two']);
  expect(units('units/one')).toEqual(['berth-lab-a-1.service', 'berth-lab-a.service']);
  // Another name for the same machine.
  expect(units('units/two')).toEqual(['berth-lab-b.service', 'berth-lab-c.service']);
  const system = 'etc/systemd/system/berth-lab';
  expect(portOf(`units/one/${system}-a.service`)).toBe('19000');
  expect(portOf(`units/one/${system}-a-1.service`)).toBe('19002');
  expect(portOf(`units/two/${system}-b.service`)).toBe('19000');
  expect(portOf(`units/two/${system}-c.service`)).toBe('19001');
  const lines = ran.stderr.split('\n');
  const [one, then, two, last] = lines;
  expect(one).toBe(
    'one/ is for host one (op@one): secrets are given from here, the rest is done there, in that folder.',
  );
  expect(then).toMatch(/^Then: .* enable --now berth-lab-a berth-lab-a-1$/);
  expect(two).toMatch(/^two\/ is for host two \(op@two\)/);
  expect(last).toMatch(/^Then: .* enable --now berth-lab-b berth-lab-c$/);
});

test('a part of the fleet has the folder and the port that it has among the others', async () => {
  fleet(`  a: {model: m, host: two, ${engine}}
  b: {model: m, host: two, ${engine}}
  c: {model: m, host: one, ${engine}}
`);
  expect((await place.berth('render', '--format', 'systemd', '--out', 'units')).code).toBe(0);
  const path = 'units/two/etc/systemd/system/berth-lab-b.service';
  const before = readFileSync(join(place.folder, path), 'utf8');
  const ran = await place.berth('render', 'b', '--format', 'systemd', '--out', 'units', '--json');
  const { written } = ran.json() as { written: string[] };
  expect(written).toContain(join(place.folder, path));
  expect(readFileSync(join(place.folder, path), 'utf8')).toBe(before);
  expect(portOf(path)).toBe('19001');
});

test('two names of one machine share its GPUs, and have each a GPU of its own', async () => {
  const target = 'gpus: 1, target: {kind: docker, image: e/x:1}';
  fleet(`  b: {model: m, host: two, ${engine}, ${target}}
  c: {model: m, host: again, ${engine}, ${target}}
`);
  const ran = await place.berth('render', '--format', 'compose', '--host', 'two');
  expect(ran.code, ran.stderr).toBe(0);
  const { services } = parse(ran.stdout) as {
    services: Record<string, { deploy: { resources: { reservations: { devices: object[] } } } }>;
  };
  const given = Object.values(services).flatMap((one) => one.deploy.resources.reservations.devices);
  expect(given).toMatchObject([{ device_ids: ['0'] }, { device_ids: ['1'] }]);
});

test('--host takes what is for one of them, under any of its names, and files of two are not printed as one', async () => {
  fleet(`  a: {model: m, host: one, ${engine}}
  b: {model: m, host: two, ${engine}}
`);
  const both = await place.berth('render', '--format', 'compose');
  expect([both.code, both.stdout]).toEqual([2, '']);
  expect(both.stderr).toContain('What is for the hosts one, two is not printed as one.');
  expect(both.stderr).toContain('--host NAME');
  const chosen = await place.berth('render', '--format', 'compose', '--host', 'again');
  expect(chosen.code, chosen.stderr).toBe(0);
  expect(chosen.stdout).toContain('container_name: berth-lab-b-0');
  expect(chosen.stdout).not.toContain('berth-lab-a-0');
  expect(chosen.stderr).toContain('The files are for host again (op@two): ');
  const out = await place.berth('render', '--format', 'systemd', '--host', 'one', '--out', 'one');
  expect(out.code, out.stderr).toBe(0);
  expect(units('one')).toEqual(['berth-lab-a.service']);
  const unknown = await place.berth('render', '--format', 'compose', '--host', 'three');
  expect([unknown.code, unknown.stderr]).toEqual([
    2,
    expect.stringContaining('The fleet has no host three.'),
  ]);
});

test('one host after the other into one folder takes nothing of the other away', async () => {
  fleet(`  a: {model: m, host: one, ${engine}}
  b: {model: m, host: two, ${engine}}
`);
  for (const host of ['one', 'two'])
    expect((await place.berth('render', '--format', 'systemd', '--host', host, '--out', 'all')).code).toBe(0);
  expect(units('all')).toEqual(['berth-lab-a.service', 'berth-lab-b.service']);
});

test('a pool that is too small is refused as a plan refuses it, and no port beyond it is given away', async () => {
  fleet(`  a: {model: m, host: one, replicas: 3, ${engine}}
`);
  for (const format of ['systemd', 'compose', 'kubernetes']) {
    const ran = await place.berth('render', '--format', format, '--out', 'units');
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain('Host one has no free port from 19000 to 19002.');
    expect(ran.stderr).toContain('Widen hosts.one.ports in the fleet file.');
  }
});

test('ports are those of a plan where nothing runs: not those of the doors, and what is on demand comes last', async () => {
  place.write(`version: 1
fleet: lab
id: k3x9
hosts: {local: {local: true, ports: 18470-18489}}
gateway: {listen: ["127.0.0.1:18470"]}
console: {listen: "127.0.0.1:18471"}
deployments:
  late: {load: on-demand, engine: {kind: command, command: [/bin/sleep, "{port}"]}}
  a: {engine: {kind: command, command: [/bin/sleep, "{port}"]}}
  b: {replicas: 2, engine: {kind: command, command: [/bin/sleep, "{port}"]}}
`);
  const plan: Plan = (await place.berth('plan', '--json')).json();
  const planned = plan.actions.map((one) =>
    one.do === 'start' ? [`${one.deployment} ${one.replica}`, String(one.wanted.port)] : [],
  );
  expect(planned).toHaveLength(3);
  expect((await place.berth('render', '--format', 'systemd', '--out', 'units')).code).toBe(0);
  function sleepsAt(unit: string): string | undefined {
    const text = readFileSync(join(place.folder, `units/etc/systemd/system/${unit}.service`), 'utf8');
    return /^ExecStart="\/bin\/sleep" "(\d+)"$/m.exec(text)?.[1];
  }
  expect([
    ['a 0', sleepsAt('berth-lab-a')],
    ['b 0', sleepsAt('berth-lab-b')],
    ['b 1', sleepsAt('berth-lab-b-1')],
  ]).toEqual(planned);
  expect(sleepsAt('berth-lab-late')).toBe('18475');
});

test('each cluster of a fleet has a folder and its own namespace; a fleet of machines is written as one', async () => {
  fleet(
    `  a: {model: m, host: k, ${engine}, target: {kind: kubernetes, image: e/x:1}}
  b: {model: m, host: other, ${engine}, target: {kind: kubernetes, image: e/x:1}}
`,
    {
      hosts:
        '  k: {kubernetes: {context: k3s, namespace: llm}}\n  other: {kubernetes: {context: k3s, namespace: lab}}',
      more: 'gateway: {host: other, image: "b:1", keys: {ci: "${env:CI_KEY}"}}',
    },
  );
  const ran = await place.berth('render', '--format', 'kubernetes', '--out', 'deploy');
  expect(ran.code, ran.stderr).toBe(0);
  expect(readdirSync(join(place.folder, 'deploy/k'))).toEqual(['a.yaml']);
  expect(readdirSync(join(place.folder, 'deploy/other'))).toEqual(['b.yaml', 'berth-gateway.yaml']);
  expect(ran.stderr).toContain('k/ is for host k (context k3s, namespace llm)');
  for (const [file, namespace] of [
    ['k/a.yaml', 'llm'],
    ['other/b.yaml', 'lab'],
    ['other/berth-gateway.yaml', 'lab'],
  ] as const) {
    const text = readFileSync(join(place.folder, 'deploy', file), 'utf8');
    const objects = parseAllDocuments(text).map((one) => one.toJS() as KubeObject);
    expect(new Set(objects.map(({ metadata }) => metadata.namespace))).toEqual(new Set([namespace]));
  }
  const unsaid = await place.berth('render', '--format', 'kubernetes', '--gateway', 'b:2', '--host', 'k');
  expect(unsaid.stdout).not.toContain('b:2');

  fleet(`  a: {model: m, host: one, engine: {kind: llama.cpp}}
  b: {model: m, host: two, engine: {kind: llama.cpp}}
`);
  const machines = await place.berth('render', '--format', 'kubernetes', '--out', 'pods', '--json');
  expect(machines.code, machines.stderr).toBe(0);
  expect(readdirSync(join(place.folder, 'pods'))).toEqual(['.berth-rendered', 'a.yaml', 'b.yaml']);
});

test('secrets get to another machine by ssh from here, and none is written', async () => {
  const found = canaries();
  place.env['HUB_TOKEN'] = found.make('hub');
  place.write('of-a-file', 'token');
  const docker = 'target: {kind: docker, image: "e/x:1"}';
  fleet(
    `  a: {model: h, host: one, engine: {kind: vllm, binary: /opt/vllm}, ${docker}}
  b: {model: m, host: far, ownKey: true, ${engine}, ${docker}}
  c: {model: f, host: far, engine: {kind: vllm, binary: /opt/vllm}, ${docker}}
`,
    {
      hosts: '  far: {ssh: "op@far:2222"}',
      more: '  f: {source: "hf://a/b", secret: "${file:./token}"}',
    },
  );
  const units = await place.berth('render', '--format', 'systemd', '--out', 'units');
  expect(units.code, units.stderr).toBe(0);
  expect(units.stderr).toContain(
    `printf %s "\${HUB_TOKEN:?}" | ssh op@one 'sudo install -D -m 600 /dev/stdin /etc/berth/units/berth-lab-a/hub'`,
  );
  expect(units.stderr).toMatch(/engine-keys\/b'\)" \| ssh -p 2222 op@far 'sudo install /);
  const quadlet = await place.berth('render', '--format', 'quadlet', '--out', 'quadlet');
  expect(quadlet.stderr).toContain("| ssh op@one 'sudo podman secret create berth-lab-a-hub -'");
  const compose = await place.berth('render', '--format', 'compose', '--out', 'compose');
  expect(compose.code, compose.stderr).toBe(0);
  const text = readFileSync(join(place.folder, 'compose/far/compose.yaml'), 'utf8');
  const { secrets } = parse(text) as { secrets: object };
  // A file of this machine is none of the other.
  expect(secrets).toEqual({
    'b-key': { file: './secrets/b-key' },
    'c-hub': { file: './secrets/c-hub' },
  });
  expect(readFileSync(join(place.folder, 'compose/one/compose.yaml'), 'utf8')).toContain(
    'environment: HUB_TOKEN',
  );
  expect(compose.stderr).toContain('Compose needs the variable HUB_TOKEN.');
  expect(compose.stderr).toMatch(/c needs a file: printf %s "\$\(cat '.*token'\)" >secrets\/c-hub/);
  expect(found.in(text + units.stderr + quadlet.stderr + compose.stderr)).toEqual([]);
});

test('what is on demand is written, and nothing but a request or a hand starts it', async () => {
  fleet(`  always: {model: m, host: one, ${engine}}
  late: {model: m, host: one, load: on-demand, ${engine}}
`);
  const units = await place.berth('render', '--format', 'systemd', '--out', 'units');
  expect(units.stderr).toMatch(/enable --now berth-lab-always$/m);
  expect(units.stderr).toContain('berth-lab-late is on demand and not started: start it by hand');
  const path = 'etc/systemd/system/berth-lab-late.service';
  expect(readFileSync(join(place.folder, 'units', path), 'utf8')).toContain('/opt/llama-server');

  const quadlet = await place.berth('render', '--format', 'quadlet', '--out', 'quadlet');
  expect(quadlet.stderr).toMatch(/systemctl start berth-lab-always$/m);
  function container(name: string): string {
    const file = `quadlet/etc/containers/systemd/berth-lab-${name}.container`;
    return readFileSync(join(place.folder, file), 'utf8');
  }
  expect(container('always')).toContain('WantedBy=');
  expect(container('late')).not.toContain('WantedBy=');

  const compose = await place.berth('render', '--format', 'compose', '--out', 'compose');
  const { services } = parse(readFileSync(join(place.folder, 'compose/compose.yaml'), 'utf8')) as {
    services: Record<string, { profiles?: string[] }>;
  };
  expect([services['always']?.profiles, services['late']?.profiles]).toEqual([undefined, ['on-demand']]);
  expect(compose.stderr).toContain(
    'late is on demand: "docker compose up" starts it only where it is named.',
  );

  const alone = await place.berth('render', 'late', '--format', 'systemd', '--out', 'alone');
  expect(alone.stderr).not.toContain('enable --now');
  expect(alone.stderr).toContain('systemctl daemon-reload');
});

test('a gated model that llama.cpp is to serve has to lie on the machine: nobody there has its token', async () => {
  place.env['HUB_TOKEN'] = 'hf_canary';
  fleet(`  a: {model: h, host: one, ${engine}}\n`);
  const { code, stderr } = await place.berth('render', '--format', 'systemd', '--out', 'units');
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining('write the path that it has on one as the source'),
  ]);
});
