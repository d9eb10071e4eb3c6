import { expect, test } from 'vitest';
import { auditReport } from '../../src/audit/audit.ts';
import { Inspected, seenContainers } from '../../src/audit/gather/containers.ts';
import { healthyObservation } from './healthy-observation.ts';

type Thing = Record<string, unknown>;

/** What "inspect" says of one container otherwise than of a vLLM that runs well and that nobody outside reaches. */
export interface Inspect {
  readonly name?: string;
  readonly image?: string;
  /** Path and Args. */
  readonly run?: readonly string[];
  readonly env?: readonly string[];
  readonly labels?: Thing;
  readonly config?: Thing;
  readonly host?: Thing;
  readonly state?: Thing;
  readonly more?: Thing;
}

export interface ContainerCase {
  readonly what: string;
  readonly tool?: 'docker' | 'podman';
  readonly containers: readonly Inspect[];
  /** "engine model port" of each that is a model server. */
  readonly servers: readonly string[];
  /** "rule object" of each finding. */
  readonly found: readonly string[];
}

export const vllmRun = ['vllm', 'serve', 'org/m', '--port', '8000'];
export const vllmServer = 'vllm org/m 8000';
export const llamaImage = 'ghcr.io/ggml-org/llama.cpp:server-cuda-b6000';
export const withGpu = {
  DeviceRequests: [{ Driver: '', Count: -1, DeviceIDs: null, Capabilities: [['gpu']] }],
};

export function published(inside: number, ...places: [ip: string, port: string][]): Thing {
  return {
    PortBindings: { [`${inside}/tcp`]: places.map(([HostIp, HostPort]) => ({ HostIp, HostPort })) },
  };
}

export function inspectOf(given: Inspect, nth: number): Thing {
  const [path, ...args] = given.run ?? vllmRun;
  return {
    Id: `c0ffee${nth}`.padEnd(64, '0'),
    Name: `/${given.name ?? 'vllm'}`,
    RestartCount: 0,
    Path: path,
    Args: args,
    ...given.more,
    State: { Status: 'running', Running: true, ExitCode: 0, ...given.state },
    Config: {
      Image: given.image ?? 'vllm/vllm-openai:v0.11.0',
      Env: given.env ?? [],
      Labels: given.labels ?? {},
      ...given.config,
    },
    HostConfig: {
      ShmSize: 64 * 1024 ** 2,
      IpcMode: 'private',
      NetworkMode: 'bridge',
      RestartPolicy: { Name: 'unless-stopped', MaximumRetryCount: 0 },
      ...given.host,
    },
  };
}

/** Looks at a machine with these containers and nothing else, as a daemon tells of them. */
export function tryContainers(cases: readonly ContainerCase[]): void {
  test.each(cases)('$what: $found', ({ containers, tool = 'docker', servers, found }) => {
    const told = containers.map((one, nth) => Inspected.parse(inspectOf(one, nth)));
    const seen = seenContainers(told, tool);
    expect(seen.map(({ starts }) => `${starts.engine} ${starts.model} ${starts.port}`)).toEqual(servers);
    const [first] = healthyObservation().hosts;
    if (!first) throw new Error('The healthy machine is gone.');
    const alone = { ...first, servers: [], units: [], listeners: [], modelFiles: [], containers: seen };
    const bare = { ...healthyObservation(), fleet: null, clusters: [], figures: [] };
    const { findings } = auditReport({ ...bare, hosts: [alone] }, []);
    expect(findings.map((one) => `${one.rule} ${one.object}`).toSorted()).toEqual([...found].toSorted());
    expect(JSON.stringify([seen, findings])).not.toContain('s3cr3t');
  });
}
