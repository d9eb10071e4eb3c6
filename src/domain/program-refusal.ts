import type { LaunchSpec } from './launch-spec.ts';
import { machineSecretRefusal } from './secret.ts';

/** Why a machine cannot run this program as it is, without a container; null: it can. `far`: it is another machine. */
export function programRefusal(
  spec: Pick<LaunchSpec, 'program' | 'secrets' | 'secretEnv'>,
  far: boolean,
): string | null {
  const { program } = spec;
  if (program.binary === undefined && program.entry === undefined)
    return 'it names no program that could be run without a container';
  return far && program.entry !== undefined
    ? "it is berth's own program, and berth installs nothing on another machine"
    : machineSecretRefusal(spec);
}
