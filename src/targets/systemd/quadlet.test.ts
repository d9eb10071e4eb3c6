import { expect, test } from 'vitest';
import type { Mark } from '../../domain/instance.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { systemdTarget } from '../systemd.ts';
import { optionsOf, SystemdOptions } from './options.ts';
import { unitIn } from './preview-container.ts';
import { renderQuadlet, workVolumes } from './quadlet.ts';
import type { QuadletFacts, RenderedQuadlet } from './quadlet.ts';
import { readUnit, valuesOf } from './unit-text.ts';

const spec: LaunchSpec = {
  engine: 'vllm',
  program: { binary: 'vllm', images: { cuda: 'e/cuda:1', rocm: 'e/rocm:1' }, imageCommand: ['vllm'] },
  args: ['serve', { hole: 'model' }, '--host', { hole: 'host' }, '--scale', '100%', '--as', '$x'],
  env: { KEY_FILE: { hole: 'secret', name: 'key' } },
  secrets: { key: { env: 'KEY' } },
  model: '/m/big.gguf',
  mmproj: null,
  writable: ['cache'],
  caches: { hub: { env: 'HF_HOME' } },
  sharedMemory: 8 * 1024 ** 3,
  lockedMemory: true,
  resources: { requests: {}, limits: { memory: 1024 ** 3 } },
  devices: { vendor: 'nvidia', count: 2 },
  readiness: { path: '/health', startTimeoutMs: 60_000 },
  metricsPath: null,
  stop: { signal: 'SIGINT', graceMs: 20_000 },
  slots: null,
  servedModel: null,
};

function rendered(
  given: Record<string, unknown> = {},
  change: Partial<LaunchSpec> = {},
  facts: Partial<QuadletFacts> = {},
): RenderedQuadlet {
  const options = SystemdOptions.parse({ kind: 'systemd', container: {}, ...given });
  const { container } = options;
  if (container === undefined) throw new Error('it has no container');
  return renderQuadlet(
    markOf(options, { ...spec, ...change }),
    { ...options, container },
    {
      unit: 'berth-lab-big',
      scope: 'system',
      config: '/etc/berth/units/berth-lab-big',
      fetcher: 'curl',
      gpuGroups: ['44', '109'],
      ...facts,
    },
  );
}

function markOf(options: SystemdOptions, of: LaunchSpec): Mark {
  return {
    fleet: 'lab',
    fleetId: 'x',
    deployment: 'big',
    replica: 0,
    target: { ...options },
    address: '127.0.0.1',
    port: 8000,
    logFile: '',
    declared: {},
    spec: of,
  };
}

function of({ unit }: RenderedQuadlet, section: string, key: string): string[] {
  return valuesOf(readUnit(unit), section, key);
}

test('a container of a unit has its model read only, its secrets as files, and its port on the loopback alone', () => {
  const made = rendered();
  expect(of(made, 'Container', 'Image')).toEqual(['docker.io/e/cuda:1']);
  expect(of(made, 'Container', 'ContainerName')).toEqual(['berth-lab-big']);
  expect(of(made, 'Container', 'Exec')).toEqual([
    '"serve" "/models/big.gguf" "--host" "0.0.0.0" "--scale" "100%%" "--as" "$$x"',
  ]);
  expect(of(made, 'Container', 'Volume')).toEqual([
    '/m/big.gguf:/models/big.gguf:ro',
    '/etc/berth/units/berth-lab-big/key:/run/secrets/key:ro',
    'berth-lab-x-big-0-cache:/var/lib/berth/cache',
    'berth-lab-hub:/var/cache/berth/hub',
  ]);
  expect(workVolumes(markOf(SystemdOptions.parse({ kind: 'systemd' }), spec))).toEqual([
    'berth-lab-x-big-0-cache',
  ]);
  expect(of(made, 'Container', 'PublishPort')).toEqual(['127.0.0.1:8000:8000']);
  expect(of(made, 'Container', 'AddDevice')).toEqual(['nvidia.com/gpu=0', 'nvidia.com/gpu=1']);
  expect(of(made, 'Container', 'ShmSize')).toEqual([String(8 * 1024 ** 3)]);
  expect(of(made, 'Container', 'PodmanArgs')[0]?.split(' ')).toEqual([
    '--stop-signal=SIGINT',
    `--memory=${1024 ** 3}b`,
    `--memory-swap=${1024 ** 3}b`,
    '--ulimit=memlock=-1:-1',
    '--log-driver=passthrough',
  ]);
  expect(of(made, 'Service', 'Restart')).toEqual(['on-failure']);
  expect(of(made, 'Service', 'TimeoutStopSec')).toEqual(['30']);
  expect(of(made, 'Service', 'ExecStartPost')[0]).toContain('http://127.0.0.1:8000/health');
  expect(of(made, 'Install', 'WantedBy')).toEqual(['multi-user.target']);
});

test('the mark lies beside the unit and not in the container, which would be one of the target docker', () => {
  const made = rendered();
  expect(made.unit).not.toContain('berth.dev/mark');
  const [json = ''] = valuesOf(readUnit(made.dropIn), 'Unit', 'X-Berth-Mark');
  const mark = JSON.parse(json) as Mark;
  expect([mark.deployment, mark.port, optionsOf(mark).container?.network]).toEqual(['big', 8000, 'bridge']);
});

test('what the file says of its container goes into it, and raw keys go over ours or beside them', () => {
  const made = rendered({
    unit: {
      name: 'big',
      Container: { HealthCmd: 'curl -f localhost', Volume: ['/x:/x'], SecurityLabelDisable: false },
      Service: { Nice: 5 },
    },
    restart: 'always',
    container: { image: 'r/own:1', entrypoint: ['/run', '-v'], network: 'host', user: '2000', pull: 'never' },
  });
  expect(of(made, 'Container', 'Image')).toEqual(['docker.io/r/own:1']);
  expect(of(made, 'Container', 'Entrypoint')).toEqual(['/run']);
  expect(of(made, 'Container', 'Exec')[0]).toContain('"-v" "serve" "/models/big.gguf" "--host" "127.0.0.1"');
  expect(of(made, 'Container', 'Network')).toEqual(['host']);
  expect(of(made, 'Container', 'PublishPort')).toEqual([]);
  expect(of(made, 'Container', 'User')).toEqual(['2000']);
  expect(of(made, 'Container', 'Pull')).toEqual(['never']);
  expect(of(made, 'Container', 'HealthCmd')).toEqual(['curl -f localhost']);
  expect(of(rendered({}), 'Container', 'SecurityLabelDisable')).toEqual(['true']);
  expect(of(made, 'Container', 'SecurityLabelDisable')).toEqual(['false']);
  expect(of(made, 'Container', 'Volume')).toEqual(
    expect.arrayContaining(['/x:/x', '/m/big.gguf:/models/big.gguf:ro']),
  );
  expect([of(made, 'Service', 'Nice'), of(made, 'Service', 'Restart')]).toEqual([['5'], ['always']]);
});

test("a user's podman raises no limits and keeps the groups that its user has", () => {
  const amd = { devices: { vendor: 'amd' as const, count: 1 } };
  const made = rendered({}, amd, { scope: 'user', gpuGroups: ['keep-groups'] });
  expect(of(made, 'Container', 'PodmanArgs')[0]).not.toContain('memlock');
  expect(of(made, 'Container', 'AddDevice')).toEqual(['/dev/kfd', '/dev/dri']);
  expect(of(made, 'Container', 'GroupAdd')).toEqual(['keep-groups']);
  expect(of(made, 'Install', 'WantedBy')).toEqual(['default.target']);
  expect(of(rendered({}, amd), 'Container', 'GroupAdd')).toEqual(['44', '109']);
});

test('an engine without an image is refused, one without a program of the host is not', () => {
  function refusal(program: LaunchSpec['program'], container?: Record<string, unknown>): string | null {
    const options = SystemdOptions.parse({ kind: 'systemd', ...(container && { container }) });
    return systemdTarget.refuses({ ...spec, program }, options, false);
  }
  const inImage = { images: { cuda: 'e/cuda:1' }, imageCommand: ['vllm'] };
  expect(refusal({ entry: 'embedded' }, {})).toContain('target.container.image names none');
  expect(refusal({}, { image: 'x' })).toContain('target.container.entrypoint');
  expect(refusal(inImage)).toContain('names no program');
  expect(refusal(inImage, {})).toBeNull();
});

test('of what a generator prints the unit of this name is taken', () => {
  const printed = '---a.service---\n[Service]\nA=1\n---b.service---\n[Service]\nB=1\n';
  expect(unitIn(printed, 'a')).toBe('[Service]\nA=1\n');
  expect(unitIn(printed, 'b')).toBe('[Service]\nB=1\n');
  expect(unitIn(printed, 'c')).toBeNull();
});

test('a path with what systemd would fill in stays as it is', () => {
  const { unit } = rendered({}, { model: '/m/cost $x 5%.gguf' });
  expect(unit).toContain('Volume=/m/cost $$x 5%%.gguf:/models/cost $$x 5%%.gguf:ro\n');
});
