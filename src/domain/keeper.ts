import { ownerOfCgroup } from './cgroup-owner.ts';
import type { CgroupOwner } from './cgroup-owner.ts';
import { baseName, unwrap } from './command-line/unwrap.ts';
import type { ProcessEntry, ProcessTable } from './process-facts.ts';
import { ancestorsOf } from './process-tree.ts';

/** Units in which people, or clocks, start what they like: none of it is the unit's own. */
const openUnits =
  /^(cron|crond|cronie|fcron|anacron|atd|sshd?(@.*)?|dropbear(@.*)?|(serial-|container-)?getty@.*|console-getty|gdm3?|sddm|lightdm|display-manager|xrdp.*|vncserver.*|gnome-terminal-server|org\.gnome\.Shell.*|plasma-.*|tmux(@.*)?|screen(@.*)?|emacs|code-server(@.*)?|code-tunnel|openvscode-server|jupyter.*|ttyd|cockpit.*|slurmd|amazon-ssm-agent|google-guest-agent|walinuxagent|teleport|actions\.runner\..*|gitlab-runner|jenkins|buildkite-agent(@.*)?)\.service$/;

/** Units of what keeps other programs running. */
const supervisingUnits =
  /^(supervisord?|pm2(-.*)?|runit|runsvdir(-.*|@.*)?|s6(-.*)?|daemontools|svscan|monit|circusd?|nomad|dinit)\.service$/;

/**
 * Who keeps a process running, by its control group and, where that does not tell, by those who started it: the nearest of them that
 * people, clocks or supervisors start things in. The name of a unit alone may mislead: one whose file starts a model server keeps it,
 * which an audit, that has read the files, puts right.
 */
export function keeperOf(entry: ProcessEntry, table: Pick<ProcessTable, 'processes'>): CgroupOwner {
  const owner = ownerOfCgroup(entry.cgroup);
  const { kind, name, uid } = owner;
  if (kind === 'container' || kind === 'pod') return owner;
  const above = ancestorsOf(entry, table).filter((one) => one.cgroup === entry.cgroup);
  const nearest = above.flatMap(({ argv }) => startedIn(argv) ?? [])[0];
  if (nearest?.kind === 'session') return kind === 'unknown' ? owner : { kind: 'session', name, uid };
  const isUnit = kind === 'system-unit' || kind === 'user-unit';
  if (nearest) return { kind: 'supervisor', name: isUnit ? name : nearest.name, uid };
  const unit = kind === 'supervisor' ? `${name.replace(/^OpenRC /, '')}.service` : name;
  if (openUnits.test(unit)) return { kind: 'session', name, uid };
  return isUnit && supervisingUnits.test(unit) ? { kind: 'supervisor', name, uid } : owner;
}

/** What a process above starts things for: people and clocks, or itself, which starts them again. Null for any other. */
function startedIn(argv: readonly string[]): { kind: 'session' | 'supervisor'; name: string } | null {
  if (isTyped(argv) || namesOf(argv).some((name) => openPrograms.test(name)))
    return { kind: 'session', name: '' };
  const supervisor = supervisorOf(argv);
  return supervisor === null ? null : { kind: 'supervisor', name: supervisor };
}

const openPrograms =
  /^(sshd(-session)?|dropbear|login|mosh-server|tmux|screen|zellij|dtach|abduco|jupyter(-.*|hub.*)?|ipykernel_launcher|code-server|ttyd|crond?|atd)$/i;

/** Of the program, and of one that gave itself a title ("sshd: me@pts/0"). */
function namesOf(argv: readonly string[]): string[] {
  const title = (argv[0] ?? '').split(/:?\s/)[0] ?? '';
  const commands = unwrap(argv).filter(({ waits }) => !waits);
  return [baseName(title), ...commands.map(({ program }) => program)];
}

/** What starts a program again whenever it ends, by the name that it has for it where its command line tells that. */
function supervisorOf(argv: readonly string[]): string | null {
  if (/^PM2 v\S+: God Daemon/.test(argv[0] ?? '')) return 'pm2';
  const { program = '', args = [] } = unwrap(argv).at(0) ?? {};
  const named = { runsv: 'runit', 's6-supervise': 's6', supervise: 'daemontools' }[program];
  if (named !== undefined) return args[0] === undefined ? named : `${named} ${args[0]}`;
  return /^(supervisord|circusd|monit|dinit|perpd)$/.test(program) ? program : null;
}

const shells = /^(sh|bash|dash|ash|zsh|ksh|fish|nu|xonsh|pwsh)$/;

/** A shell that reads what somebody types: no text ("-c") and no script is given to it. */
function isTyped([name = '', ...words]: readonly string[]): boolean {
  const own = words.filter(
    (word, at) => !word.startsWith('-') && !/^--(init-file|rcfile)$/.test(words[at - 1] ?? ''),
  );
  return shells.test(baseName(name)) && own.length === 0 && !words.some((word) => /^-[a-z]*c$/.test(word));
}
