import { isAbsolute, join } from 'node:path';
import type { ObserveConfig } from '../../domain/observe-config.ts';
import type { FleetPaths } from '../file/paths.ts';
import type { LoadedFleet } from '../file/resolve.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

/** What the gateway is to note of its requests, as the fleet file wants it. */
export function observeSettings(gateway: LoadedFleet['gateway'], logs: FleetPaths['logs']): ObserveConfig {
  const { accessLog, tracing, capture } = gateway;
  return {
    genAi: gateway.metrics?.genAi ?? false,
    ...(gateway.metrics?.key && { metricsKey: true }),
    accessLog: accessLog
      ? {
          path: pathIn(logs, accessLog.path ?? 'access.log'),
          format: accessLog.format,
          maxBytes: accessLog.size ?? 64 * MiB,
          keep: accessLog.keep,
        }
      : null,
    tracing: tracing
      ? { otlp: tracing.otlp ?? null, sample: tracing.sample, service: tracing.service }
      : null,
    capture: capture
      ? {
          maxBytes: capture.size ?? 16 * MiB,
          bodyBytes: capture.body ?? 64 * KiB,
          sample: capture.sample,
        }
      : null,
  };
}

function pathIn(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}
