import { join } from 'node:path';
import { quoteWord } from '../domain/command-line/quote-word.ts';
import type { Mark } from '../domain/instance.ts';
import type { SystemdOptions, UnitContainer } from '../targets/systemd/options.ts';
import { containerRefusal, renderQuadlet } from '../targets/systemd/quadlet.ts';
import { unitNameOf } from '../targets/systemd/render.ts';
import { dropInName } from '../targets/systemd/scope.ts';
import type { RenderedDeployment, RenderedFile, RenderInput } from './contract.ts';
import { filesGiven, marksOf, pipeSecret, runThere, secretsOf } from './replica-marks.ts';

/** Where the units of one manager go, and how they get there. */
export interface Manager {
  readonly scope: 'system' | 'user';
  /** Of what is written: its units, what belongs to them, and what podman makes units of. */
  readonly units: string;
  readonly own: string;
  readonly containers: string;
  /** Where the second lies once it is in its place. */
  readonly config: string;
  readonly sudo: string;
  readonly copy: string;
  readonly systemctl: string;
}

export const ofSystem: Manager = {
  scope: 'system',
  units: 'etc/systemd/system',
  own: 'etc/berth',
  containers: 'etc/containers/systemd',
  config: '/etc/berth',
  sudo: 'sudo ',
  copy: 'sudo cp -r etc /',
  systemctl: 'sudo systemctl',
};

/** The options of a unit whose engine runs in a container; null: it is none. */
export function unitContainerOf({
  target,
}: Pick<RenderedDeployment, 'target'>): (SystemdOptions & { container: UnitContainer }) | null {
  // Its own schema has parsed it with the file.
  const options = target as unknown as SystemdOptions;
  return target.kind === 'systemd' && options.container !== undefined
    ? { ...options, container: options.container }
    : null;
}

/** Why its unit cannot be written, as a sentence; null when it can. */
export function unitContainerRefusal(
  deployment: RenderedDeployment,
  container: UnitContainer,
): string | null {
  return deployment.onDemand
    ? 'podman starts what it makes of a file with the machine, which a model on demand is not'
    : containerRefusal(deployment.spec, container);
}

/** One replica as the target systemd would write it. */
export interface UnitOfContainer {
  readonly mark: Mark;
  readonly unit: string;
  readonly files: readonly RenderedFile[];
  readonly needs: readonly string[];
}

export function unitsOfContainers(input: RenderInput, manager: Manager): UnitOfContainer[] {
  return input.deployments.flatMap((deployment) => {
    const options = unitContainerOf(deployment);
    if (options === null) return [];
    return marksOf({ ...input, deployments: [deployment] }, () => options, { gpus: true }).map(({ mark }) => {
      const unit = unitNameOf(mark, options);
      const config = join(manager.config, 'units', unit);
      const facts = {
        unit,
        scope: manager.scope,
        config,
        fetcher: 'curl',
        gpuGroups: ['keep-groups'],
      } as const;
      const { unit: text, dropIn } = renderQuadlet(mark, options, facts);
      return {
        mark,
        unit,
        files: [
          { path: `${manager.containers}/${unit}.container`, text },
          { path: `${manager.units}/${unit}.service.d/${dropInName}`, text: dropIn },
          ...filesGiven(input, mark, `${manager.own}/units/${unit}`),
        ],
        needs: secretsOf(mark).map((name) => needsSecret(input, manager, { mark, unit, name })),
      };
    });
  });
}

/** The command that puts a secret of a unit to where it reads it. */
export function needsSecret(
  { ssh }: Pick<RenderInput, 'ssh'>,
  manager: Manager,
  { mark, unit, name }: { mark: Mark; unit: string; name: string },
): string {
  const path = quoteWord(join(manager.config, 'units', unit, name));
  const install = `${manager.sudo}install -D -m 600 /dev/stdin ${path}`;
  return `${unit} needs a secret: ${pipeSecret(mark, name)} | ${runThere(ssh, install)}`;
}
