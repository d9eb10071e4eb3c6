/** Who keeps a process running, as the path of its control group tells it. `uid`: the user of a session or a user unit. */
export interface CgroupOwner {
  readonly kind: 'system-unit' | 'user-unit' | 'container' | 'pod' | 'supervisor' | 'session' | 'unknown';
  readonly name: string;
  readonly uid: number | null;
}

const id64 = '[0-9a-f]{64}';

/** Innermost first: a container inside a unit belongs to the container, a session inside a slice to the session. */
const patterns: readonly (readonly [RegExp, (match: RegExpExecArray) => CgroupOwner])[] = [
  // Quadlet runs podman with a split group: the unit is what a person starts and stops.
  [
    new RegExp(`/system\\.slice/(?:.*/)?([^/]+\\.service)/libpod-payload-${id64}`),
    ([, unit]) => owner('system-unit', unit),
  ],
  [
    new RegExp(`/user@(\\d+)\\.service/(?:.*/)?([^/]+\\.service)/libpod-payload-${id64}`),
    ([, uid, unit]) => owner('user-unit', unit, uid),
  ],
  [
    /[/-]kubepods.*?pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})/,
    ([, uid]) => owner('pod', uid?.replaceAll('_', '-')),
  ],
  [new RegExp(`/(?:docker[-/])(${id64})`), ([, id]) => owner('container', `docker ${short(id)}`)],
  [
    new RegExp(`/libpod(?:-payload-|-|_parent/(?:libpod-)?)(${id64})`),
    ([, id]) => owner('container', `podman ${short(id)}`),
  ],
  [
    new RegExp(`/(?:cri-containerd|crio|nerdctl|containerd)-(${id64})\\.scope`),
    ([, id]) => owner('container', `containerd ${short(id)}`),
  ],
  [
    /\/nomad(?:\.slice)?\/(?:.*\/)?[0-9a-f-]{36}\.(.+?)(?:\.scope|$)/,
    ([, task]) => owner('supervisor', `Nomad ${task}`),
  ],
  [/^\/openrc\.([^/]+)/, ([, name]) => owner('supervisor', `OpenRC ${name}`)],
  [/\/lxc(?:\.payload\.|\/)([^/]+)/, ([, name]) => owner('container', `lxc ${name}`)],
  [
    /\/machine\.slice\/(?:machine-)?([^/]+?)\.(?:scope|service)/,
    ([, name]) => owner('container', `machine ${name}`),
  ],
  [
    /\/user@(\d+)\.service\/(?:.*\/)?([^/]+\.service)(?:\/|$)/,
    ([, uid, unit]) => owner('user-unit', unit, uid),
  ],
  [
    /\/user-(\d+)\.slice\/session-([^/]+)\.scope/,
    ([, uid, name]) => owner('session', `session ${name}`, uid),
  ],
  // A terminal or a program started from a desktop: a person's session all the same.
  [/\/user@(\d+)\.service\/(?:.*\/)?([^/]+)\.scope/, ([, uid]) => owner('session', 'desktop session', uid)],
  [/\/([^/]+\.service)(?:\/|$)/, ([, unit]) => owner('system-unit', unit)],
];

/**
 * Reads the text of /proc/PID/cgroup. Version 1 has a line per hierarchy: systemd's own says most; where it is
 * the root (a container manager without systemd), the line of any controller that is not.
 */
export function ownerOfCgroup(text: string | null): CgroupOwner {
  const lines = (text ?? '').split('\n').filter((line) => line !== '');

  const systemd = lines.find((line) => line.split(':')[1] === 'name=systemd');
  const unified = lines.find((line) => line.startsWith('0::'));
  for (const line of [systemd, unified, ...lines]) {
    if (line === undefined || pathOf(line) === '/') continue;
    for (const [pattern, read] of patterns) {
      const match = pattern.exec(pathOf(line));
      if (match) return read(match);
    }
  }
  return owner('unknown', '');
}

function owner(kind: CgroupOwner['kind'], name: string | undefined, uid?: string): CgroupOwner {
  return { kind, name: name ?? '', uid: uid === undefined ? null : Number(uid) };
}

/** Container ids are shown by their first 12 digits, as docker and podman do. */
function short(id: string | undefined): string {
  return (id ?? '').slice(0, 12);
}

function pathOf(line: string): string {
  return line.split(':').slice(2).join(':');
}
