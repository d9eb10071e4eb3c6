import type { FleetStatus, ReplicaStatus } from '../../src/domain/fleet-status.ts';

/** A fleet of one deployment with two replicas, one of them just starting, and a server elsewhere. */
export function exampleStatus(overrides: Partial<FleetStatus> = {}): FleetStatus {
  return {
    version: 1,
    fleet: 'lab',
    at: '2026-01-01T12:00:00.000Z',
    deployments: [
      {
        name: 'assistant',
        engine: 'llama.cpp',
        target: 'process',
        host: 'local',
        model: 'mistral-7b',
        replicas: [
          exampleReplica(),
          exampleReplica({
            replica: 1,
            state: 'starting',
            url: 'http://127.0.0.1:18401',
            port: 18401,
            pid: 4243,
            rssBytes: null,
          }),
        ],
      },
      {
        name: 'cloud',
        engine: 'openai',
        target: null,
        host: 'elsewhere',
        model: 'big-model',
        replicas: [
          exampleReplica({
            state: 'unreachable',
            url: 'https://models.example/api',
            pid: null,
            port: null,
            since: null,
            rssBytes: null,
            slots: null,
          }),
        ],
      },
    ],
    routes: [
      { name: 'assistant', to: [{ deployment: 'assistant', weight: 1 }], aliasOf: null },
      {
        name: 'default',
        to: [
          { deployment: 'assistant', weight: 9 },
          { deployment: 'cloud', weight: 1 },
        ],
        aliasOf: null,
      },
    ],
    gateway: { state: 'serving', url: 'http://127.0.0.1:8484', pid: 4000 },
    console: { state: 'serving', url: 'http://127.0.0.1:8485', pid: 3999 },
    foreign: 0,
    findings: [],
    ...overrides,
  };
}

export function exampleReplica(overrides: Partial<ReplicaStatus> = {}): ReplicaStatus {
  return {
    replica: 0,
    state: 'ready',
    url: 'http://127.0.0.1:18400',
    object: 'process 4242',
    pid: 4242,
    restarts: null,
    port: 18400,
    since: '2026-01-01T10:30:00.000Z',
    rssBytes: 5_368_709_120,
    slots: 4,
    outdated: false,
    ...overrides,
  };
}
