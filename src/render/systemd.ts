import { dirname, join } from 'node:path';
import { quoteWord } from '../domain/command-line/quote-word.ts';
import { machineSecretRefusal } from '../domain/secret.ts';
import { SystemdOptions } from '../targets/systemd/options.ts';
import { renderUnit, unitNameOf } from '../targets/systemd/render.ts';
import type { UnitFacts } from '../targets/systemd/render.ts';
import { dropInName } from '../targets/systemd/scope.ts';
import type { RenderedDeployment, RenderFormat, RenderInput, RenderOutput } from './contract.ts';
import { timerOf } from './benchmark-timer.ts';
import { filesGiven, isOnDemand, marksOf, onDemandNote, secretsOf } from './replica-marks.ts';
import {
  needsSecret,
  ofSystem,
  unitContainerOf,
  unitContainerRefusal,
  unitsOfContainers,
} from './unit-containers.ts';
import type { Manager } from './unit-containers.ts';

/** Older ones warn of keys that came later. */
const oldestVersion = 252;

function ofUser(home: string): Manager {
  const place = join(home, '.config');
  return {
    scope: 'user',
    units: 'config/systemd/user',
    own: 'config/berth',
    containers: 'config/containers/systemd',
    config: join(place, 'berth'),
    sudo: '',
    copy: `mkdir -p ${quoteWord(place)} && cp -r config/. ${quoteWord(place)}`,
    systemctl: 'systemctl --user',
  };
}

/** Units as the target writes them, below etc/ for the system, to be copied to /, or below config/ for a user; then enabled. */
export const systemdFormat = {
  kind: 'systemd',
  title: 'units of systemd, to be copied to /etc or a home',
  place: 'machine',
  benchmarks: true,
  forUsers: true,
  refuses,
  render,
} as const satisfies RenderFormat<'systemd'>;

function refuses(deployment: RenderedDeployment): string | null {
  const { spec } = deployment;
  const options = unitContainerOf(deployment);
  if (options !== null) return unitContainerRefusal(deployment, options.container);
  return spec.program.binary === undefined
    ? 'its engine is a program of this berth or only an image, and no program of the other machine'
    : machineSecretRefusal(spec);
}

/** What the file says of another target means nothing to a unit. Its own was parsed with the file. */
function optionsOf({ target }: RenderedDeployment): SystemdOptions {
  return target.kind === 'systemd'
    ? (target as unknown as SystemdOptions)
    : SystemdOptions.parse({ kind: 'systemd' });
}

function render(input: RenderInput): RenderOutput {
  const manager = input.userHome === null ? ofSystem : ofUser(input.userHome);
  const containers = unitsOfContainers(input, manager);
  const deployments = input.deployments.filter((one) => unitContainerOf(one) === null);
  const units = marksOf({ ...input, deployments }, optionsOf, { gpus: true }).map(({ mark, options }) => {
    const unit = unitNameOf(mark, options);
    const facts = factsOf(manager, unit, mark.spec.program.binary ?? '');
    return { mark, unit, rendered: renderUnit(mark, options, facts) };
  });
  const secrets = units.flatMap(({ mark, unit }) =>
    secretsOf(mark).map((name) => needsSecret(input, manager, { mark, unit, name })),
  );
  const timers = input.benchmarks.map((one) =>
    timerOf(input.fleet, one, { folder: manager.units, config: manager.config }),
  );
  const later = units.filter(({ mark }) => isOnDemand(input, mark)).map(({ unit }) => unit);
  const now = units.map(({ unit }) => unit).filter((unit) => !later.includes(unit));
  const made = containers.map(({ unit }) => unit).join(' ');
  const names = [...now, ...timers.map(({ timer }) => timer)].join(' ');
  return {
    files: [
      ...units.flatMap(({ mark, unit, rendered }) => [
        { path: `${manager.units}/${unit}.service`, text: rendered.unit },
        { path: `${manager.units}/${unit}.service.d/${dropInName}`, text: rendered.dropIn },
        { path: `${manager.own}/units/${unit}/environment`, text: rendered.environment },
        ...filesGiven(input, mark, `${manager.own}/units/${unit}`),
      ]),
      ...containers.flatMap(({ files }) => files),
      ...timers.flatMap(({ files }) => files),
    ],
    needs:
      units.length + containers.length + timers.length === 0
        ? []
        : [
            ...secrets,
            ...containers.flatMap(({ needs }) => needs),
            ...timers.flatMap(({ needs }) => needs),
            `Then: ${[manager.copy, `${manager.systemctl} daemon-reload`, ...(names === '' ? [] : [`${manager.systemctl} enable --now ${names}`]), ...(made === '' ? [] : [`${manager.systemctl} start ${made}`])].join(' && ')}`,
            ...later.map(onDemandNote),
          ],
  };
}

/** Nothing of this machine: a program without a path is found by systemd in its own places. */
function factsOf({ scope, config }: Manager, unit: string, binary: string): UnitFacts {
  return {
    unit,
    scope,
    config: join(config, 'units', unit),
    program: [binary],
    reads: binary.startsWith('/') ? [dirname(binary)] : [],
    environment: {},
    fetcher: 'curl',
    gpuGroups: ['video', 'render'],
    systemdVersion: oldestVersion,
  };
}
