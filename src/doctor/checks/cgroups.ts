import type { World } from '../../io/world.ts';
import { bad, defineCheck, good } from '../contract.ts';
import type { Verdict, Wants } from '../contract.ts';

interface Facts {
  /** Lines of /proc/mounts with control groups. */
  readonly mounts: string;
  /** Controllers that the user's own manager was given; null where there is none. */
  readonly delegated: string | null;
  readonly uid: number;
  /** The control group of pods that a kubelet makes past the systemd that runs the machine; null: none. */
  readonly pastSystemd: string | null;
}

/** Where a kubelet with the driver "cgroupfs" keeps its pods; with that of systemd they are slices. */
const ownPods = ['/sys/fs/cgroup/kubepods', '/sys/fs/cgroup/memory/kubepods'];

export const cgroups = defineCheck<'cgroups', Facts>({
  kind: 'cgroups',
  title: 'Control groups',
  gather: async (world) => ({
    mounts: (await world.files.read(`${world.proc}/self/mounts`)) ?? '',
    delegated: await world.files
      .read(`/sys/fs/cgroup/user.slice/user-${world.uid}.slice/user@${world.uid}.service/cgroup.controllers`)
      .catch(() => null),
    uid: world.uid,
    pastSystemd: await podsPastSystemd(world),
  }),
  judge: (facts, wants) => [...ofKernel(facts, wants), ...ofKubelet(facts)],
});

async function podsPastSystemd({ files }: World): Promise<string | null> {
  if (!(await files.stat('/run/systemd/system').catch(() => null))) return null;
  const found = await Promise.all(ownPods.map((path) => files.stat(path).catch(() => null)));
  return ownPods.find((_, at) => found[at]) ?? null;
}

function ofKubelet({ pastSystemd }: Facts): Verdict[] {
  if (pastSystemd === null) return [];
  return [
    bad(
      'warning',
      'The kubelet keeps control groups that systemd knows nothing of: when a unit with limits ends, systemd may take those of pods away, and the kubelet then ends them.',
      {
        evidence: [pastSystemd],
        cure: "In the kubelet's configuration: cgroupDriver: systemd. In containerd's, for runc: SystemdCgroup = true. Then restart both with the node drained.",
      },
    ),
  ];
}

function ofKernel({ mounts, delegated, uid }: Facts, { targets }: Wants): Verdict[] {
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
}

/** "hybrid" has the controllers in version 1 and a hierarchy of version 2 beside them. */
export function versionOf(mounts: string): '2' | '1' | 'hybrid' | 'none' {
  const types = mounts.split('\n').map((line) => line.split(' '));
  const two = types.some(([, , type]) => type === 'cgroup2');
  const one = types.some(([, , type]) => type === 'cgroup');
  if (two && one) return 'hybrid';
  return two ? '2' : one ? '1' : 'none';
}
