import { dirname } from 'node:path';
import { machineSecretRefusal } from '../domain/secret.ts';
import { SystemdOptions } from '../targets/systemd/options.ts';
import { renderUnit, unitNameOf } from '../targets/systemd/render.ts';
import type { UnitFacts } from '../targets/systemd/render.ts';
import type { RenderedDeployment, RenderFormat, RenderInput, RenderOutput } from './contract.ts';
import { timerOf } from './benchmark-timer.ts';
import { marksOf, pipeSecret } from './replica-marks.ts';

/** Older ones warn of keys that came later. */
const oldestVersion = 252;
const configFolder = '/etc/berth/units';

/** Units for the system, as the target writes them, below etc/: to be copied to / and enabled. */
export const systemdFormat = {
  kind: 'systemd',
  title: 'units of systemd, to be copied to /etc',
  benchmarks: 'machine',
  refuses: ({ spec }) =>
    spec.program.binary === undefined
      ? 'its engine is a program of this berth or only an image, and no program of the other machine'
      : machineSecretRefusal(spec),
  render,
} as const satisfies RenderFormat<'systemd'>;

/** What the file says of another target means nothing to a unit. Its own was parsed with the file. */
function optionsOf({ target }: RenderedDeployment): SystemdOptions {
  return target.kind === 'systemd'
    ? (target as unknown as SystemdOptions)
    : SystemdOptions.parse({ kind: 'systemd' });
}

function render(input: RenderInput): RenderOutput {
  const units = marksOf(input, optionsOf).map(({ mark, options }) => {
    const unit = unitNameOf(mark, options);
    return { mark, unit, rendered: renderUnit(mark, options, factsOf(unit, mark.spec.program.binary ?? '')) };
  });
  const secrets = units.flatMap(({ mark, unit }) =>
    Object.keys(mark.spec.secrets).map(
      (name) =>
        `${unit} needs a secret: ${pipeSecret(mark, name)} | sudo install -D -m 600 /dev/stdin ${configFolder}/${unit}/${name}`,
    ),
  );
  const timers = input.benchmarks.map((one) => timerOf(input.fleet, one));
  const names = [...units.map(({ unit }) => unit), ...timers.map(({ timer }) => timer)].join(' ');
  return {
    files: [
      ...units.flatMap(({ unit, rendered }) => [
        { path: `etc/systemd/system/${unit}.service`, text: rendered.unit },
        { path: `etc/systemd/system/${unit}.service.d/10-berth.conf`, text: rendered.dropIn },
        { path: `etc/berth/units/${unit}/environment`, text: rendered.environment },
      ]),
      ...timers.flatMap(({ files }) => files),
    ],
    needs:
      names === ''
        ? []
        : [
            ...secrets,
            ...timers.flatMap(({ needs }) => needs),
            `Then: sudo cp -r etc / && sudo systemctl daemon-reload && sudo systemctl enable --now ${names}`,
          ],
  };
}

/** Nothing of this machine: a program without a path is found by systemd in its own places. */
function factsOf(unit: string, binary: string): UnitFacts {
  return {
    unit,
    scope: 'system',
    config: `${configFolder}/${unit}`,
    program: [binary],
    reads: binary.startsWith('/') ? [dirname(binary)] : [],
    environment: {},
    fetcher: 'curl',
    gpuGroups: ['video', 'render'],
    systemdVersion: oldestVersion,
  };
}
