import { givenIn } from '../domain/given-files.ts';
import type { Mark } from '../domain/instance.ts';
import type { ContainerBody, Mount } from '../container/render.ts';
import { secretFolder } from '../container/container-body.ts';
import { containerSection, containerService, volumeOf } from '../targets/systemd/quadlet-text.ts';
import { descriptionOf } from '../targets/systemd/render.ts';
import { waitWhereItCan } from '../targets/systemd/scripts.ts';
import { quoteWord, writeUnit } from '../targets/systemd/unit-text.ts';
import type { Section } from '../targets/systemd/unit-text.ts';
import { containerRefusal, containersOf } from './containers.ts';
import type { RenderedContainer } from './containers.ts';
import type { RenderFormat, RenderInput, RenderOutput } from './contract.ts';
import { ofSystem, unitContainerOf, unitContainerRefusal, unitsOfContainers } from './unit-containers.ts';
import { filesGiven, isOnDemand, onDemandNote, pipeSecret, runThere, secretsOf } from './replica-marks.ts';

const folder = 'etc/containers/systemd';

/** One .container file for each replica, from which podman (5 or newer) makes a unit of systemd. */
export const quadletFormat = {
  kind: 'quadlet',
  title: 'Quadlet files of podman, to be copied to /etc',
  place: 'machine',
  refuses: (deployment) => {
    const options = unitContainerOf(deployment);
    return options === null
      ? containerRefusal(deployment)
      : unitContainerRefusal(deployment, options.container);
  },
  render,
} as const satisfies RenderFormat<'quadlet'>;

function render(input: RenderInput): RenderOutput {
  const facts = { podman: true, stateDir: '/var/lib/berth', gpuGroups: ['keep-groups'] };
  const units = unitsOfContainers(input, ofSystem);
  const deployments = input.deployments.filter((one) => unitContainerOf(one) === null);
  const replicas = containersOf({ ...input, deployments }, facts).map((one) => {
    const { fleet, deployment, replica } = one.mark;
    const number = replica === 0 ? '' : `-${replica}`;
    return { ...one, unit: `berth-${fleet}-${deployment}${number}` };
  });
  const secrets = replicas.flatMap(({ mark, unit }) =>
    secretsOf(mark).map(
      (key) =>
        `${unit} needs a secret: ${pipeSecret(mark, key)} | ${runThere(input.ssh, `sudo podman secret create ${unit}-${key} -`)}`,
    ),
  );
  const folders = replicas.flatMap(({ mark, mounts }) =>
    mounts
      .filter(({ Type, ReadOnly }) => Type === 'bind' && !ReadOnly)
      .map(({ Source }) => `${mark.deployment} needs a folder: sudo mkdir -p ${Source}`),
  );
  const later = replicas.filter(({ mark }) => isOnDemand(input, mark));
  const started = [...replicas.filter((one) => !later.includes(one)), ...units]
    .map(({ unit }) => unit)
    .join(' ');
  return {
    files: [
      ...replicas.map(({ unit, ...one }) => ({
        path: `${folder}/${unit}.container`,
        text: writeUnit(
          [
            [
              'Unit',
              [
                ['Description', descriptionOf(one.mark)],
                ['After', 'network-online.target'],
                ['Wants', 'network-online.target'],
              ],
            ],
            ['Container', containerOf(one, unit)],
            ['Service', serviceOf(one)],
            ...(isOnDemand(input, one.mark) ? [] : [installed]),
          ],
          'Written by berth.',
        ),
      })),
      ...replicas.flatMap(({ mark, unit }) => filesGiven(input, mark, `${ofSystem.own}/units/${unit}`)),
      ...units.flatMap(({ files }) => files),
    ],
    needs:
      replicas.length + units.length === 0
        ? []
        : [
            ...secrets,
            ...units.flatMap(({ needs }) => needs),
            ...folders,
            `Then: ${['sudo cp -r etc /', 'sudo systemctl daemon-reload', ...(started === '' ? [] : [`sudo systemctl start ${started}`])].join(' && ')}`,
            ...later.map(({ unit }) => onDemandNote(unit)),
          ],
  };
}

const installed = ['Install', [['WantedBy', 'multi-user.target default.target']]] as const;

function containerOf({ mark, container, body, mounts }: RenderedContainer, unit: string): Section {
  return containerSection(body, {
    name: container,
    mark,
    mounts: mounts.map((mount) => mountOf(mount, mark, unit)),
  });
}

/** Whoever starts it, or what comes after it, waits for the model. */
function serviceOf({ mark, body }: RenderedContainer): Section {
  return [
    ...containerService(mark, restartOf(body)),
    ['ExecStartPost', `/bin/sh -c ${quoteWord(waitWhereItCan(mark))}`],
  ];
}

function mountOf(mount: Mount, { spec }: Mark, unit: string): readonly [string, string] {
  const { Target } = mount;
  if (!Target.startsWith(secretFolder)) return volumeOf(mount);
  const key = Target.slice(secretFolder.length);
  if (key in givenIn(spec)) return volumeOf({ ...mount, Source: `${ofSystem.config}/units/${unit}/${key}` });
  return ['Secret', `${unit}-${key},type=mount,target=${Target},mode=0400`];
}

function restartOf({ HostConfig }: ContainerBody): string {
  return (HostConfig['RestartPolicy'] as { Name: string }).Name;
}
