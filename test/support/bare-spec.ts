import type { LaunchSpec } from '../../src/domain/launch-spec.ts';

/** A server that is told nothing and given nothing. */
export const bareSpec: LaunchSpec = {
  engine: 'vllm',
  program: { binary: 'vllm', images: { cpu: 'e/cpu:1' } },
  args: [],
  env: {},
  secrets: {},
  model: null,
  mmproj: null,
  writable: [],
  devices: { vendor: 'none', count: 0 },
  readiness: { path: '/health', startTimeoutMs: 60_000 },
  metricsPath: null,
  stop: { signal: 'SIGTERM', graceMs: 0 },
  slots: null,
  servedModel: null,
};
