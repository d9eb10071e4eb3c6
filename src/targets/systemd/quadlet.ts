import { join } from 'node:path';
import type { Mark } from '../../domain/instance.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { machineSecretRefusal } from '../../domain/secret.ts';
import { secretFolder } from '../../container/container-body.ts';
import { entrypointOf, imageOf, markLabel, renderContainer } from '../../container/render.ts';
import type { Mount } from '../../container/render.ts';
import type { DockerOptions } from '../../container/options.ts';
import { unitWish } from './options.ts';
import type { SystemdOptions, UnitContainer } from './options.ts';
import { containerSection, containerService, volumeOf } from './quadlet-text.ts';
import { descriptionOf, dropInOf, overlay } from './render.ts';
import { waitForHealth } from './scripts.ts';
import { ownComment, quoteWord, writeUnit } from './unit-text.ts';
import type { Section } from './unit-text.ts';

/** What a container's unit is made from, beside the mark: facts of the host. */
export interface QuadletFacts {
  /** Its container is called after it. */
  readonly unit: string;
  readonly scope: 'system' | 'user';
  /** Folder of its secrets. */
  readonly config: string;
  readonly fetcher: 'curl' | 'wget' | null;
  /** Numeric groups that own the devices of GPUs, or "keep-groups". */
  readonly gpuGroups: readonly string[];
}

/** The file that podman makes the unit of, and the drop-in with the mark beside that unit. */
export interface RenderedQuadlet {
  readonly unit: string;
  readonly dropIn: string;
}

/** The options of the target docker that say the same of the container. */
export function dockerOptionsOf(container: UnitContainer): DockerOptions {
  return { ...container, kind: 'docker', restart: 'no', pullTimeout: 0 };
}

/** The image that it runs in; null: the engine has none, and none is named. */
export function unitImageOf(spec: LaunchSpec, container: UnitContainer): string | null {
  return imageOf(spec, dockerOptionsOf(container));
}

/** Why no container can be made of this, as a sentence; null: one can. */
export function containerRefusal(spec: LaunchSpec, container: UnitContainer): string | null {
  if (unitImageOf(spec, container) === null)
    return 'the engine has no image of its own, and target.container.image names none';
  if (entrypointOf(spec, dockerOptionsOf(container)) === null)
    return 'target.container.entrypoint does not say what to run in the image';
  return machineSecretRefusal(spec);
}

interface ContainerOptions extends SystemdOptions {
  readonly container: UnitContainer;
}

/** Everything of a container's unit but the secrets themselves. Pure: reading it back compares with this. */
export function renderQuadlet(mark: Mark, options: ContainerOptions, facts: QuadletFacts): RenderedQuadlet {
  const health = waitForHealth(facts.fetcher, mark);
  const unit = writeUnit(
    overlay(
      [
        [
          'Unit',
          [
            ['Description', descriptionOf(mark)],
            ['After', 'network-online.target'],
            ['Wants', 'network-online.target'],
            ['StartLimitIntervalSec', '600'],
            ['StartLimitBurst', '5'],
          ],
        ],
        ['Container', containerOf(mark, options, facts)],
        [
          'Service',
          [
            ...containerService(mark, options.restart),
            ...(health === null ? [] : [['ExecStartPost', `/bin/sh -c ${quoteWord(health)}`] as const]),
          ],
        ],
        ['Install', [['WantedBy', facts.scope === 'system' ? 'multi-user.target' : 'default.target']]],
      ],
      unitWish(options).raw,
    ),
    ownComment,
  );
  return { unit, dropIn: dropInOf(mark, unit) };
}

function containerOf(mark: Mark, { container }: ContainerOptions, facts: QuadletFacts): Section {
  const body = renderContainer(mark, dockerOptionsOf(container), {
    podman: true,
    stateDir: '/',
    gpuGroups: facts.gpuGroups,
    // What a user may not raise would keep the container from starting.
    ...(facts.scope === 'user' ? { fixedLimits: true } : {}),
  });
  // With the mark itself the container would be one of the target docker.
  const { [markLabel]: _mark, ...labels } = body.Labels;
  const mounts = body.HostConfig['Mounts'] as readonly Mount[];
  return [
    ...containerSection(
      { ...body, Labels: labels },
      {
        name: facts.unit,
        mark,
        mounts: mounts.map((mount) => volumeOf(ownSource(mount, mark, facts))),
        // Else what the engine says may go elsewhere than into the unit's journal.
        args: ['--log-driver=passthrough'],
      },
    ),
    ...(container.pull === 'never' ? ([['Pull', 'never']] as const) : []),
  ];
}

/** Secrets lie with the unit, and what the engine writes is a volume of podman. */
function ownSource(mount: Mount, mark: Mark, facts: QuadletFacts): Mount {
  const name = mount.Target.slice(mount.Target.lastIndexOf('/') + 1);
  if (mount.Target.startsWith(secretFolder)) return { ...mount, Source: join(facts.config, name) };
  return mount.Type === 'bind' && !mount.ReadOnly ? { ...mount, Source: workVolume(mark, name) } : mount;
}

/** The volumes that go with the last unit of their place. */
export function workVolumes(mark: Mark): string[] {
  return mark.spec.writable.map((name) => workVolume(mark, name));
}

function workVolume({ fleet, fleetId, deployment, replica }: Mark, name: string): string {
  return `berth-${fleet}-${fleetId}-${deployment}-${replica}-${name}`;
}
