import type { DeploymentStatus } from '../../domain/fleet-status.ts';
import type { Check } from '../../domain/verification.ts';
import { engineOf } from '../../engines/registry.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import type { World } from '../../io/world.ts';
import type { Deployment } from '../file/resolve.ts';
import { check } from './check.ts';
import { tokenAnswer } from './token-answer.ts';
import type { VerifyOptions } from './options.ts';

/** A server that berth only routes to. */
export async function externalChecks(
  world: World,
  {
    deployment,
    status,
    options,
  }: { deployment: Deployment; status: DeploymentStatus; options: VerifyOptions },
): Promise<Check[]> {
  const external = engineOf(deployment.engine.kind).external?.(deployment.engine);
  if (!external) return [];
  const { url, caFile } = external;
  const told = check({ deployment: deployment.name, replica: null });
  const key = external.key && (await resolveSecret(world, external.key).catch(() => null));
  const headers: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {};
  const ca = caFile === null ? null : await world.files.read(caFile);
  const ready = status.replicas[0]?.state === 'ready';
  const cure = 'Look at that server; berth does not start or stop it.';
  const checks = [told('ready', { at: url, fault: ready ? null : 'does not answer', seen: 'answers', cure })];
  if (external.key && !key)
    return [...checks, told('answers', { at: url, skipped: 'its key is not in this shell' })];
  const { servedModel } = external;
  const { at, fault, model, ms } = await tokenAnswer(world, {
    deployment,
    options,
    url,
    headers,
    servedModel,
    ca,
  });
  return [
    ...checks,
    told('answers', {
      at,
      fault,
      seen: `answered for ${model} in ${ms} ms`,
      cure,
    }),
  ];
}
