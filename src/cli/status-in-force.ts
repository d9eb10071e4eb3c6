import { resolve } from 'node:path';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { Finding } from '../domain/finding.ts';
import { FleetStatus } from '../domain/fleet-status.ts';
import { parseJson } from '../domain/json.ts';
import { usualFiles } from '../fleet/file/sources.ts';
import { upOfFiles } from '../fleet/up/up-state.ts';
import type { UpState } from '../fleet/up/up-state.ts';
import { tokenOfFile } from '../io/token-file.ts';
import { consoleTokenFile } from './console-address.ts';
import type { CliContext } from './context.ts';
import type { FileOptions } from './fleet-file.ts';

const timeoutMs = 15_000;

/**
 * What runs by the configuration that is in force, for files that cannot be read any more: as the running `berth up` of these files
 * tells it, with what is wrong with them. Throws that fault where none runs, or none that can be asked.
 */
export async function statusInForce(
  context: CliContext,
  options: FileOptions,
  fault: BerthError,
): Promise<FleetStatus> {
  const { world } = context;
  const up = await upInForce(context, options);
  if (!up?.console) throw fault;
  const token = await tokenOfFile(world.files, consoleTokenFile(world, up));
  const reply = await world.http
    .request(`${up.console.url}/api/status`, { headers: { authorization: `Bearer ${token}` }, timeoutMs })
    .catch(() => null);
  const told = FleetStatus.safeParse(reply?.status === 200 ? parseJson(reply.text) : null);
  if (!told.success) throw fault;
  return { ...told.data, findings: [...findingsOf(fault, up.process.pid), ...told.data.findings] };
}

/** The running `berth up` of these files, whatever they say by now; null where none runs. */
export function upInForce({ world, cwd }: CliContext, { file }: FileOptions): Promise<UpState | null> {
  const paths = file.length > 0 ? file.map((one) => resolve(cwd, one)) : usualFiles(world, cwd);
  return upOfFiles(world, paths);
}

/** True for what is wrong with the files themselves. */
export function isFaultOfFiles(error: unknown): error is BerthError {
  return error instanceof BerthError && faults.includes(error.code);
}

const faults: readonly string[] = ['CONFIG_INVALID', 'CONFIG_MISSING', 'FILE_MISSING', 'GIVEN_FILE_MISSING'];

function findingsOf(fault: BerthError, pid: number): Finding[] {
  return [
    {
      rule: 'file-invalid',
      severity: 'warning',
      object: 'fleet',
      message: `What is shown is what the running berth up (process ${pid}) goes by, which stays in force. ${fault.message}`,
      evidence: [fault.code],
      cure: fault.cure,
    },
  ];
}
