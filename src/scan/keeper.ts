import { ownerOfCgroup } from '../domain/cgroup-owner.ts';
import type { CgroupOwner } from '../domain/cgroup-owner.ts';
import { baseName, unwrap } from '../domain/command-line/unwrap.ts';
import type { ProcessEntry, ProcessTable } from '../domain/process-facts.ts';
import { ancestorsOf } from './process-tree.ts';

/** Who keeps a process running, by its control group and, where that does not tell, by those who started it. */
export function keeperOf(entry: ProcessEntry, table: ProcessTable): CgroupOwner {
  const owner = ownerOfCgroup(entry.cgroup);
  const above = ancestorsOf(entry, table).filter((one) => one.cgroup === entry.cgroup);
  if (owner.kind === 'session' || owner.kind === 'unknown') {
    const supervisor = above.flatMap(({ argv }) => supervisorOf(argv) ?? [])[0];
    return supervisor === undefined ? owner : { kind: 'supervisor', name: supervisor, uid: owner.uid };
  }
  const isUnit = owner.kind === 'system-unit' || owner.kind === 'user-unit';
  return isUnit && above.some(({ argv }) => isTyped(argv)) ? { ...owner, kind: 'session' } : owner;
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
