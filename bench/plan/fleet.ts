import type { Instance } from '../../src/domain/instance.ts';
import type { DesiredReplica } from '../../src/fleet/plan/desired.ts';
import type { LoadedFleet } from '../../src/fleet/file/resolve.ts';

/** A fleet file with so many deployments of llama.cpp and `command`, dealt out to so many hosts. */
export function fleetText(deployments: number, hosts: number): string {
  const names = Array.from({ length: hosts }, (_, i) => `box-${i}`);
  return [
    'version: 1',
    'fleet: wide',
    'id: wide',
    'hosts:',
    ...names.map((name) => `  ${name}: { ports: 18000-19999 }`),
    'models:',
    '  small: { source: ./model.gguf }',
    'deployments:',
    ...Array.from({ length: deployments }, (_, i) => deployment(i, names[i % hosts] ?? '')).flat(),
    '',
  ].join('\n');
}

function deployment(i: number, host: string): string[] {
  const head = [`  model-${i}:`, `    host: ${host}`];
  if (i % 4 === 3)
    return [
      ...head,
      '    engine:',
      '      kind: command',
      `      command: [python3, server.py, --port, "{port}", --seed, "${i}"]`,
      '      healthPath: /health',
    ];
  return [
    ...head,
    '    model: small',
    '    engine:',
    '      kind: embedded',
    `      slots: ${1 + (i % 8)}`,
    '      context: 4096',
  ];
}

/**
 * What runs of it: of each hundred engines two are missing, five were started otherwise, and one runs that the file does
 * not want any longer.
 */
export function recorded({ fleet, fleetId }: LoadedFleet, desired: readonly DesiredReplica[]): Instance[] {
  return desired.flatMap((wanted, i): Instance[] => {
    if (i % 50 === 7) return [];
    const changed = i % 20 === 3;
    const name = i % 100 === 11 ? `gone-${i}` : wanted.deployment.name;
    const { declared } = wanted.deployment;
    const spec = changed ? { ...wanted.spec, slots: 64 } : wanted.spec;
    const port = 18_000 + (i % 2000);
    return [
      {
        host: 'local',
        object: { target: 'process', id: `boot ${1000 + i} ${i * 7}`, name: `process ${1000 + i}` },
        alive: true,
        trouble: null,
        process: { bootId: 'boot', pid: 1000 + i, startTicks: i * 7 },
        engine: wanted.spec.engine,
        model: wanted.spec.model,
        owner: { kind: 'berth', name: fleet, user: 'op' },
        endpoints: [{ address: '127.0.0.1', port, netns: '4026531840' }],
        rssBytes: 400_000_000 + i,
        startedAt: '2026-01-01T00:00:00.000Z',
        mark: {
          fleet,
          fleetId,
          deployment: name,
          replica: wanted.replica,
          target: { ...wanted.deployment.target },
          address: '127.0.0.1',
          port,
          logFile: `/var/lib/berth/logs/${name}.log`,
          declared: changed ? { ...declared, 'engine.slots': 64 } : { ...declared },
          spec,
        },
      },
    ];
  });
}
