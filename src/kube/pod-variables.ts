import { fillArg } from '../domain/fill-args.ts';
import type { Hole, LaunchSpec } from '../domain/launch-spec.ts';
import { isOfCluster } from '../domain/secret.ts';
import { verbatim } from './verbatim.ts';
import { cacheVariables } from './volumes.ts';

/** The variables of an engine's container; of a secret it has the place alone. `own`: the Secret with what comes from here. Pure. */
export function podVariables(
  spec: LaunchSpec,
  own: string,
  fill: (hole: Hole) => string,
): Record<string, unknown>[] {
  const texts = [
    ...cacheVariables(spec),
    ...Object.entries(spec.env).map(([name, arg]) => [name, verbatim(fillArg(arg, fill))] as const),
  ];
  const secrets = Object.entries(spec.secretEnv ?? {}).map(([name, secret]) => ({
    name,
    valueFrom: { secretKeyRef: keyOf(spec, secret, own) },
  }));
  return [...texts.map(([name, value]) => ({ name, value })), ...secrets];
}

function keyOf({ secrets }: LaunchSpec, name: string, own: string): { name: string; key: string } {
  const ref = secrets[name];
  if (!ref || !isOfCluster(ref)) return { name: own, key: name };
  return { name: ref.secretRef?.name ?? '', key: ref.secretRef?.key ?? '' };
}
