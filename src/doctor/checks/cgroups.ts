import { bad, defineCheck, good } from '../contract.ts';

interface Facts {
  /** Lines of /proc/mounts with control groups. */
  readonly mounts: string;
  /** Controllers that the user's own manager was given; null where there is none. */
  readonly delegated: string | null;
  readonly uid: number;
}

export const cgroups = defineCheck<'cgroups', Facts>({
  kind: 'cgroups',
  title: 'Control groups',
  gather: async (world) => ({
    mounts: (await world.files.read(`${world.proc}/self/mounts`)) ?? '',
    delegated: await world.files
      .read(`/sys/fs/cgroup/user.slice/user-${world.uid}.slice/user@${world.uid}.service/cgroup.controllers`)
      .catch(() => null),
    uid: world.uid,
  }),
  judge: ({ mounts, delegated, uid }, { targets }) => {
    const version = versionOf(mounts);
    const evidence = [`version: ${version}`];
    if (version === 'none')
      return [
        bad('warning', 'There are no control groups: limits on memory and processors cannot hold.', {
          evidence,
          cure: 'On a machine: boot with a kernel that has them. In a container: mount /sys/fs/cgroup into it.',
        }),
      ];
    if (version !== '2')
      return [
        bad(
          'info',
          'Control groups of version 1: an engine that is killed for its memory is harder to tell from one that crashes.',
          {
            evidence,
            cure: 'Boot with systemd.unified_cgroup_hierarchy=1, the default of current systems.',
          },
        ),
      ];
    const given = delegated?.trim().split(/\s+/) ?? [];
    const lacks = ['cpu', 'memory'].filter((name) => !given.includes(name));
    if (uid !== 0 && targets.includes('systemd') && delegated !== null && lacks.length > 0)
      return [
        bad('warning', `Units of this user cannot be limited in ${lacks.join(' and ')}.`, {
          evidence: [...evidence, `delegated: ${given.join(' ') || 'nothing'}`],
          cure: 'In /etc/systemd/system/user@.service.d/delegate.conf: [Service] Delegate=cpu cpuset io memory pids',
        }),
      ];
    return [good('Control groups of version 2.', evidence)];
  },
});

/** "hybrid" has the controllers in version 1 and a hierarchy of version 2 beside them. */
export function versionOf(mounts: string): '2' | '1' | 'hybrid' | 'none' {
  const types = mounts.split('\n').map((line) => line.split(' '));
  const two = types.some(([, , type]) => type === 'cgroup2');
  const one = types.some(([, , type]) => type === 'cgroup');
  if (two && one) return 'hybrid';
  return two ? '2' : one ? '1' : 'none';
}
