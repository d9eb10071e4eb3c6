import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Mark } from '../../src/domain/instance.ts';
import { readUnit, valuesOf } from '../../src/targets/systemd/unit-text.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { canaries } from '../support/canary.ts';

let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(() => place.close());

function fleet(deployments: string): void {
  place.write(`version: 1
fleet: lab
id: k3x9
hosts: {box: {local: true, ports: 19000-19009, reserve: [19001]}}
models:
  m: {source: /srv/models/mistral.Q5_K_M.gguf}
  h: {source: "hf://mistralai/Mistral-7B-Instruct-v0.2", secret: "\${env:HUB_TOKEN}"}
defaults: {host: box}
deployments:
${deployments}`);
}

/** Files below a folder by their paths, with their texts. */
function tree(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (one) => one.isFile() && one.name !== '.berth-rendered',
  );
  return Object.fromEntries(
    files
      .map((file) => join(file.parentPath, file.name))
      .toSorted()
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]),
  );
}

test('units are written as the target would, with ports from the pool, marks and no secret, the same each time', async () => {
  const found = canaries();
  place.env['HUB_TOKEN'] = found.make('hub');
  fleet(`  a: {model: m, replicas: 2, resources: {limits: {memory: 12Gi}}, target: {kind: systemd}, engine: {kind: llama.cpp, binary: /opt/bin/llama-server, slots: 2, context: 4096}}
  b: {model: h, ownKey: true, target: {kind: systemd, unit: mine}, engine: {kind: vllm, binary: /opt/vllm/bin/vllm}}
`);
  const ran = await place.berth('render', '--format', 'systemd', '--out', 'units');
  expect(ran.code, ran.stderr).toBe(0);
  const files = tree(join(place.folder, 'units'));
  expect(Object.keys(files)).toEqual([
    'etc/berth/units/berth-lab-a-1/environment',
    'etc/berth/units/berth-lab-a/environment',
    'etc/berth/units/mine/environment',
    'etc/systemd/system/berth-lab-a-1.service',
    'etc/systemd/system/berth-lab-a-1.service.d/10-berth.conf',
    'etc/systemd/system/berth-lab-a.service',
    'etc/systemd/system/berth-lab-a.service.d/10-berth.conf',
    'etc/systemd/system/mine.service',
    'etc/systemd/system/mine.service.d/10-berth.conf',
  ]);
  const unit = readUnit(files['etc/systemd/system/berth-lab-a.service'] ?? '');
  expect(valuesOf(unit, 'Service', 'ExecStart')[0]).toMatch(
    /^"\/opt\/bin\/llama-server" "--model" .* "--port" "19000" "--ctx-size" "8192"/,
  );
  expect(valuesOf(unit, 'Service', 'MemoryMax')).toEqual(['12G']);
  // 19001 is reserved.
  expect(files['etc/systemd/system/berth-lab-a-1.service']).toContain('"--port" "19002"');
  const mine = readUnit(files['etc/systemd/system/mine.service'] ?? '');
  expect(valuesOf(mine, 'Service', 'LoadCredential')).toEqual([
    'key:/etc/berth/units/mine/key',
    'hub:/etc/berth/units/mine/hub',
  ]);
  const dropIn = readUnit(files['etc/systemd/system/mine.service.d/10-berth.conf'] ?? '');
  const mark = Mark.parse(JSON.parse(valuesOf(dropIn, 'Unit', 'X-Berth-Mark')[0] ?? ''));
  expect(mark).toMatchObject({ fleet: 'lab', fleetId: 'k3x9', deployment: 'b', replica: 0, port: 19_003 });
  expect(mark.spec.secrets['hub']).toEqual({ env: 'HUB_TOKEN' });
  expect(ran.stderr).toContain(
    'mine needs a secret: printf %s "${HUB_TOKEN:?}" | sudo install -D -m 600 /dev/stdin /etc/berth/units/mine/hub',
  );
  expect(ran.stderr).toMatch(
    /mine needs a secret: printf 'api-key: "%s"\\n' "\$\(cat '.*engine-keys\/b'\)" \| sudo install/,
  );
  expect(ran.stderr).toContain('systemctl enable --now berth-lab-a berth-lab-a-1 mine');
  expect(found.in(JSON.stringify(files) + ran.stdout + ran.stderr)).toEqual([]);
  await place.berth('render', '--format', 'systemd', '--out', 'units');
  expect(tree(join(place.folder, 'units'))).toEqual(files);
});

test('an engine for GPUs that names no number of them sees those of the machine, as in a container', async () => {
  const engine = 'kind: llama.cpp, binary: /opt/bin/llama-server';
  fleet(`  a: {model: m, target: {kind: systemd}, engine: {${engine}, accelerator: vulkan, gpuLayers: all}}
  b: {model: m, target: {kind: systemd}, engine: {${engine}}}
`);
  const ran = await place.berth('render', '--format', 'systemd', '--out', 'units');
  expect(ran.code, ran.stderr).toBe(0);
  const files = tree(join(place.folder, 'units'));
  const [a, b] = ['a', 'b'].map((name) =>
    readUnit(files[`etc/systemd/system/berth-lab-${name}.service`] ?? ''),
  );
  expect(valuesOf(a ?? [], 'Service', 'PrivateDevices')).toEqual([]);
  expect(valuesOf(a ?? [], 'Service', 'DeviceAllow')).toContain('char-drm rw');
  expect(valuesOf(b ?? [], 'Service', 'PrivateDevices')).toEqual(['yes']);
});

test('a compose file has what the container would have: image, arguments, port, files, limits, GPUs and secrets', async () => {
  const found = canaries();
  place.env['HUB_TOKEN'] = found.make('hub');
  fleet(`  a: {model: m, resources: {requests: {cpu: 2, memory: 6Gi}, limits: {cpu: 4, memory: 12Gi}}, target: {kind: docker}, engine: {kind: llama.cpp, slots: 2, build: b6000, args: ["--override-kv", "$x"]}}
  b: {model: h, gpus: 2, port: 8000, target: {kind: docker, image: "vllm/vllm-openai:v0.18.0", shm: 8Gi}, engine: {kind: vllm}}
`);
  const ran = await place.berth('render', '--format', 'compose', '--out', 'deploy');
  expect(ran.code, ran.stderr).toBe(0);
  const text = readFileSync(join(place.folder, 'deploy/compose.yaml'), 'utf8');
  const file = parse(text) as {
    services: Record<string, Record<string, unknown>>;
    secrets: unknown;
    volumes: unknown;
  };
  expect(file.services['a']).toMatchObject({
    image: 'ghcr.io/ggml-org/llama.cpp:server-b6000',
    command: expect.arrayContaining(['--override-kv', '$$x', '0.0.0.0', '19000']),
    ports: ['127.0.0.1:19000:19000'],
    volumes: [
      {
        type: 'bind',
        source: '/srv/models/mistral.Q5_K_M.gguf',
        target: '/models/mistral.Q5_K_M.gguf',
        read_only: true,
      },
    ],
    mem_reservation: 6 * 1024 ** 3,
    mem_limit: 12 * 1024 ** 3,
    cpu_shares: 2048,
    cpus: 4,
    restart: 'unless-stopped',
    stop_grace_period: '30s',
    healthcheck: { interval: '10s' },
  });
  expect(file.services['b']).toMatchObject({
    ports: ['127.0.0.1:8000:8000'],
    shm_size: 8 * 1024 ** 3,
    secrets: [{ source: 'b-hub', target: 'hub' }],
    environment: expect.arrayContaining(['HF_TOKEN_PATH=/run/secrets/hub']),
    healthcheck: { disable: true },
    deploy: {
      resources: {
        reservations: { devices: [{ driver: 'nvidia', device_ids: ['0', '1'], capabilities: ['gpu'] }] },
      },
    },
  });
  expect(file.secrets).toEqual({ 'b-hub': { environment: 'HUB_TOKEN' } });
  expect(file.volumes).toMatchObject({ 'berth-lab-hub': { name: 'berth-lab-hub' } });
  const labels = file.services['b']?.['labels'] as Record<string, string>;
  expect(Mark.parse(JSON.parse((labels['berth.dev/mark'] ?? '').replaceAll('$$', '$')))).toMatchObject({
    deployment: 'b',
    port: 8000,
  });
  expect(found.in(text + ran.stdout + ran.stderr)).toEqual([]);
  const again = await place.berth('render', '--format', 'compose');
  expect(again.stdout.split('\n').slice(1).join('\n').trimEnd()).toBe(text.trimEnd());
});

test("groups of a GPU's devices are numbers of the machine, which Compose is told: names mean nothing in a container", async () => {
  fleet(`  a: {model: m, gpus: 1, target: {kind: docker}, engine: {kind: llama.cpp, accelerator: rocm}}
`);
  const { code, stdout, stderr } = await place.berth('render', '--format', 'compose');
  expect(code, stderr).toBe(0);
  const { services } = parse(stdout) as { services: Record<string, Record<string, unknown>> };
  expect(services['a']?.['group_add']).toEqual(['${VIDEO_GID:?}', '${RENDER_GID:?}']);
  expect(stderr).toContain('export VIDEO_GID=$(getent group video | cut -d: -f3) RENDER_GID=$(getent');
});

test('a Quadlet file has the same, in the words of podman', async () => {
  fleet(`  b: {model: h, gpus: 1, port: 8000, resources: {requests: {cpu: 500m}, limits: {cpu: 2, memory: 20Gi}}, target: {kind: docker, image: "vllm/vllm-openai:v0.18.0"}, engine: {kind: vllm, args: ["--some-new-flag", "100%"]}}
`);
  const ran = await place.berth('render', '--format', 'quadlet', '--out', 'q');
  expect(ran.code, ran.stderr).toBe(0);
  const [[path, text] = ['', '']] = Object.entries(tree(join(place.folder, 'q')));
  expect(path).toBe('etc/containers/systemd/berth-lab-b.container');
  const unit = readUnit(text);
  function container(key: string): string[] {
    return valuesOf(unit, 'Container', key);
  }
  expect(container('Image')).toEqual(['docker.io/vllm/vllm-openai:v0.18.0']);
  expect(container('Entrypoint')).toEqual(['vllm']);
  // A sign of systemd's own is written twice.
  expect(container('Exec')[0]).toMatch(/^"serve" "mistralai\/Mistral-7B-Instruct-v0.2" .* "100%%"$/);
  expect(container('PublishPort')).toEqual(['127.0.0.1:8000:8000']);
  expect(container('AddDevice')).toEqual(['nvidia.com/gpu=0']);
  expect(container('Secret')).toEqual(['berth-lab-b-hub,type=mount,target=/run/secrets/hub,mode=0400']);
  expect(container('Volume')).toContain('berth-lab-hub:/var/cache/berth/hub');
  expect(container('PodmanArgs')[0]).toContain('--memory=21474836480b');
  // Where nothing can ask, it is started all the same.
  expect(valuesOf(unit, 'Service', 'ExecStartPost')).toEqual([
    expect.stringMatching(
      /^\/bin\/sh -c "command -v curl >\/dev\/null \|\| exit 0; until .*'http:\/\/127\.0\.0\.1:8000\/health'.*\$\$MAINPID/,
    ),
  ]);
  expect(valuesOf(unit, 'Service', 'TimeoutStartSec')).toEqual(['2400']);
  expect(container('Label').some((label) => label.startsWith('"berth.dev/mark={'))).toBe(true);
  expect(ran.stderr).toContain('printf %s "${HUB_TOKEN:?}" | sudo podman secret create berth-lab-b-hub -');
});

test('what a format cannot say is refused by name and reason', async () => {
  fleet(`  a: {model: m, engine: {kind: embedded}}
  b: {model: m, engine: {kind: llama.cpp}, target: {kind: docker, hostConfig: {CapAdd: [SYS_NICE]}}}
`);
  const unit = await place.berth('render', 'a', '--format', 'systemd');
  expect([unit.code, unit.stderr]).toEqual([
    2,
    expect.stringContaining('a cannot be written as systemd: its engine is a program of this berth'),
  ]);
  const compose = await place.berth('render', 'b', '--format', 'compose');
  expect([compose.code, compose.stderr]).toEqual([
    2,
    expect.stringContaining('target.hostConfig is in words'),
  ]);
});

test("units of a user go below a home, are the own manager's, and keep their secrets there", async () => {
  place.env['HUB_TOKEN'] = 'of-a-test';
  fleet(`  b: {model: h, target: {kind: systemd}, engine: {kind: vllm, binary: /opt/vllm/bin/vllm}}
`);
  const ran = await place.berth('render', '--format', 'systemd', '--user-home', '/home/op', '--out', 'units');
  expect(ran.code, ran.stderr).toBe(0);
  const files = tree(join(place.folder, 'units'));
  expect(Object.keys(files)).toEqual([
    'config/berth/units/berth-lab-b/environment',
    'config/systemd/user/berth-lab-b.service',
    'config/systemd/user/berth-lab-b.service.d/10-berth.conf',
  ]);
  const unit = readUnit(files['config/systemd/user/berth-lab-b.service'] ?? '');
  expect(valuesOf(unit, 'Install', 'WantedBy')).toEqual(['default.target']);
  expect(valuesOf(unit, 'Service', 'DynamicUser')).toEqual([]);
  expect(files['config/berth/units/berth-lab-b/environment']).toContain(
    'HF_TOKEN_PATH="/home/op/.config/berth/units/berth-lab-b/hub"',
  );
  expect(ran.stderr).toContain('| install -D -m 600 /dev/stdin /home/op/.config/berth/units/berth-lab-b/hub');
  expect(ran.stderr).toContain('systemctl --user enable --now berth-lab-b');
  const blank = await place.berth(
    'render',
    '--format',
    'systemd',
    '--user-home',
    '/home/my op',
    '--out',
    'blank',
  );
  expect(blank.stderr).toContain(
    "| install -D -m 600 /dev/stdin '/home/my op/.config/berth/units/berth-lab-b/hub'",
  );
  expect(blank.stderr).toContain("mkdir -p '/home/my op/.config' && cp -r config/. '/home/my op/.config' &&");
  const wrong = await place.berth('render', '--format', 'compose', '--user-home', '/home/op');
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('not for one user')]);
  const relative = await place.berth('render', '--format', 'systemd', '--user-home', 'op');
  expect([relative.code, relative.stderr]).toEqual([2, expect.stringContaining('begins with "/"')]);
});

test('replicas of one host have GPUs by number, in the order of the file, also where one is rendered alone', async () => {
  const llama = 'engine: {kind: llama.cpp, binary: /usr/bin/llama-server}';
  fleet(`  a: {model: m, gpus: 2, replicas: 2, ${llama}, target: {kind: docker, image: e/x:1}}
  c: {model: m, gpus: 1, replicas: 2, ${llama}, target: {kind: docker, image: e/x:1, gpuIds: ["4", "6"]}}
  d: {model: m, gpus: 3, ${llama}, target: {kind: systemd}}
`);
  const compose = await place.berth('render', '--format', 'compose', 'a', 'c');
  expect(compose.code, compose.stderr).toBe(0);
  const { services } = parse(compose.stdout) as {
    services: Record<string, { deploy: { resources: { reservations: { devices: object[] } } } }>;
  };
  const named = Object.values(services).map((one) => one.deploy.resources.reservations.devices);
  expect(named).toEqual(
    [['0', '1'], ['2', '3'], ['4'], ['6']].map((ids) => [
      { driver: 'nvidia', device_ids: ids, capabilities: ['gpu'] },
    ]),
  );

  const quadlet = await place.berth('render', '--format', 'quadlet', 'a');
  expect(quadlet.stdout.match(/^AddDevice=.*/gm)).toEqual(
    [0, 1, 2, 3].map((number) => `AddDevice=nvidia.com/gpu=${number}`),
  );

  await place.berth('render', '--format', 'systemd', '--out', 'units', 'd');
  const texts = Object.values(tree(join(place.folder, 'units'))).join('\n');
  expect(texts).toContain('CUDA_DEVICE_ORDER="PCI_BUS_ID"\nCUDA_VISIBLE_DEVICES="5,7,8"');
});
