import type { ForeignContainer } from '../../targets/docker/foreign.ts';

/** Settings that neither a fleet file nor what berth keeps of a definition has a word for, and what they are without being told. */
const settings: Readonly<Record<string, { readonly flag: string; readonly usual?: readonly unknown[] }>> = {
  AutoRemove: { flag: '--rm' },
  Privileged: { flag: '--privileged' },
  PidMode: { flag: '--pid', usual: ['private'] },
  UTSMode: { flag: '--uts', usual: ['private'] },
  UsernsMode: { flag: '--userns', usual: ['private'] },
  Sysctls: { flag: '--sysctl' },
  PidsLimit: { flag: '--pids-limit', usual: [-1, 2048] },
  CgroupParent: { flag: '--cgroup-parent' },
  OomScoreAdj: { flag: '--oom-score-adj' },
  OomKillDisable: { flag: '--oom-kill-disable' },
  Init: { flag: '--init' },
  DeviceCgroupRules: { flag: '--device-cgroup-rule' },
  DnsSearch: { flag: '--dns-search' },
  DnsOptions: { flag: '--dns-option' },
  Links: { flag: '--link' },
  VolumesFrom: { flag: '--volumes-from' },
};

/** What of a container would be lost with another like it, as a reason; null: nothing. Pure. */
export function untold({ hostConfig, mounts, published }: ForeignContainer): string | null {
  const setting = Object.entries(settings).find(
    ([key, { usual = [] }]) => !isEmpty(hostConfig[key]) && !usual.includes(hostConfig[key]),
  );
  if (setting) return `its container runs with ${setting[1].flag}`;
  const mount = mounts.find(({ type }) => type !== 'bind' && type !== 'volume');
  if (mount) return `its container has a mount of type ${mount.type} (${mount.target})`;
  const labelled = mounts.find(({ type, mode }) => type === 'bind' && /(^|,)[zZ](,|$)/.test(mode));
  if (labelled) return `its folder ${labelled.target} is labelled for the container (:z)`;
  const shared = mounts.find(({ propagation }) => !['', 'private', 'rprivate'].includes(propagation));
  if (shared) return `mounts below ${shared.target} are shared with it (${shared.propagation})`;
  const ports = new Set(published.map(({ inside }) => inside));
  return ports.size > 1 ? `its container publishes ${ports.size} ports` : null;
}

/** As a daemon tells what nobody has set. */
export function isEmpty(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    value === 0 ||
    value === '' ||
    value === false ||
    (typeof value === 'object' && Object.keys(value).length === 0)
  );
}
