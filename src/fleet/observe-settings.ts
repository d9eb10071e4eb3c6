import { isAbsolute, join } from 'node:path';
import type { ObserveConfig } from '../domain/observe-config.ts';
import type { FleetPaths } from './paths.ts';
import type { LoadedFleet } from './resolve.ts';

const MiB = 1024 * 1024;

/** What the gateway is to note of its requests, as the fleet file wants it. */
export function observeSettings(gateway: LoadedFleet['gateway'], logs: FleetPaths['logs']): ObserveConfig {
  const { accessLog } = gateway;
  return {
    genAi: gateway.metrics?.genAi ?? false,
    accessLog: accessLog
      ? {
          path: pathIn(logs, accessLog.path ?? 'access.log'),
          format: accessLog.format,
          maxBytes: accessLog.size ?? 64 * MiB,
          keep: accessLog.keep,
        }
      : null,
  };
}

function pathIn(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}
