import { daemonPlaces } from '../../targets/docker/places.ts';
import { toldDaemons } from '../../targets/docker/info.ts';
import type { DaemonInfo } from '../../targets/docker/answers.ts';
import type { ToldDaemon } from '../../targets/docker/info.ts';
import { absent, bad, defineCheck, good } from '../contract.ts';
import type { Verdict } from '../contract.ts';

interface Facts {
  readonly looked: readonly string[];
  readonly daemons: readonly ToldDaemon[];
}

export const containers = defineCheck<'containers', Facts>({
  kind: 'containers',
  title: 'Docker and podman',
  gather: async (world) => ({ looked: (await daemonPlaces(world)).all, daemons: await toldDaemons(world) }),
  judge: ({ looked, daemons }, { targets }) => {
    const wanted = targets.includes('docker');
    if (daemons.length === 0)
      return [
        wanted
          ? bad('critical', 'No container engine is here, and the fleet wants containers.', {
              evidence: looked.map((where) => `nothing at ${where}`),
              cure: 'Install Docker or podman and start it (systemctl start docker, or systemctl --user start podman.socket).',
            })
          : absent('No container engine is here, and nothing asks for one.'),
      ];
    const answering = daemons.filter(({ info }) => info !== null);
    return daemons.flatMap(({ where, info, fault }): Verdict[] => {
      if (fault)
        return [
          bad(wanted && answering.length === 0 ? 'critical' : 'info', fault.text, {
            evidence: [where],
            cure: fault.cure,
          }),
        ];
      return info ? judgeDaemon(where, info) : [];
    });
  },
});

function judgeDaemon(where: string, info: DaemonInfo): Verdict[] {
  const rootless = info.SecurityOptions?.some((option) => /rootless/.test(option)) ?? false;
  const evidence = [
    where,
    `version ${info.ServerVersion ?? 'unknown'}`,
    `storage ${info.Driver ?? 'unknown'} in ${info.DockerRootDir ?? 'an unknown place'}`,
    `control groups ${info.CgroupVersion ?? 'unknown'}`,
    ...(rootless ? ['rootless'] : []),
  ];
  return [
    good(`A container engine answers, version ${info.ServerVersion ?? 'unknown'}.`, evidence),
    ...(info.Driver === 'vfs'
      ? [
          bad('warning', 'Images are copied whole for each container, which takes gigabytes and minutes.', {
            evidence: [`storage driver: ${info.Driver}`],
            cure: 'Use the storage driver overlay2 (Docker), or fuse-overlayfs for a rootless podman.',
          }),
        ]
      : []),
    ...(info.Warnings?.some((text) => /No memory limit support/.test(text))
      ? [
          bad('warning', 'Limits on the memory of containers do not hold here.', {
            evidence: info.Warnings,
            cure: 'Boot with cgroup_enable=memory swapaccount=1.',
          }),
        ]
      : []),
  ];
}
