import { ownerOfCgroup } from '../domain/cgroup-owner.ts';
import type { CgroupOwner } from '../domain/cgroup-owner.ts';
import { baseName, unwrap } from '../domain/command-line/unwrap.ts';
import type { ProcessEntry, ProcessTable } from '../domain/process-facts.ts';
import { ancestorsOf } from '../domain/process-tree.ts';
import type { FoundServer } from './find-servers.ts';

/** What stands beside a server for its sake alone: shells, what takes its output or asks how it is, and what runs containers. */
const helpers =
  /^((ba|da|a|z|k)?sh|fish|tee|cat|logger|systemd-cat|tail|sleep|curl|wget|nc|nvidia-smi|rocm-smi|awk|gawk|mawk|grep|sed|ts|multilog|svlogd|s6-log|cronolog|rotatelogs|podman|docker|nerdctl|conmon|catatonit|pause|crun|runc|slirp4netns|pasta|passt|rootlessport.*|aardvark-dns|netavark|fuse-overlayfs|\(sd-pam\))$/;

/**
 * Whether the unit, container or pod of a server keeps something else too, which would end with it. The containers of a pod are there
 * for each other, so that of a pod only another model server counts.
 */
export function isShared(
  server: FoundServer,
  { table, found }: { readonly table: ProcessTable; readonly found: readonly FoundServer[] },
): boolean {
  const { entry, family } = server;
  const keeper = ownerOfCgroup(entry.cgroup);
  if (!['system-unit', 'user-unit', 'container', 'pod'].includes(keeper.kind)) return false;
  const own = new Set([...family, ...ancestorsOf(entry, table)].map(({ pid }) => pid));
  const others =
    keeper.kind === 'pod' ? found.map((one) => one.entry) : [...table.processes.values()].filter(isForItself);
  const known = new Map<string | null, boolean>();
  return others.some(({ pid, cgroup }) => {
    if (own.has(pid)) return false;
    const isSame = known.get(cgroup) ?? areOne(ownerOfCgroup(cgroup), keeper);
    known.set(cgroup, isSame);
    return isSame;
  });
}

function areOne(a: CgroupOwner, b: CgroupOwner): boolean {
  return a.kind === b.kind && a.name === b.name && a.uid === b.uid;
}

function isForItself({ argv }: ProcessEntry): boolean {
  const commands = unwrap(argv);
  const names = [baseName(argv[0] ?? ''), ...commands.map(({ program }) => program)];
  return argv.length > 0 && !commands.some(({ waits }) => waits) && !names.some((name) => helpers.test(name));
}
