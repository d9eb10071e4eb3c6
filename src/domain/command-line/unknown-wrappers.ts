import type { Peeled } from './peeled.ts';

/** What runs its words on another machine or in a container, or only reads them: text behind "--" is no process of its own here. */
const elsewhere =
  /^(ssh|autossh|mosh|et|kubectl|oc|k9s|docker|podman|nerdctl|crictl|ctr|lxc|lxc-attach|incus|pct|machinectl|colima|limactl|buildah|flatpak|pdsh|clush|tsh|multipass|vagrant|gcloud|aws|az|ray|sky|modal|sbatch|qsub|gh|glab|git|svn|npm|npx|pnpm|yarn|cargo|go|make|ninja|cmake|pytest|grep|egrep|fgrep|zgrep|rg|ag|ack|fd|find|less|more|most|cat|bat|tac|head|tail|sed|awk|vim?|vi|nvim|nano|emacs|emacsclient|code|man|echo|printf|test|kill|pkill|pgrep|killall|which|whereis|type|ls|cp|mv|rm|rsync|scp|tar|file|diff|wc|journalctl|systemctl|loginctl|crontab|logger|wall|notify-send|tmux|zellij|tmate|ps|top|htop)$/;

/** Starts what waits for a database or a file first. */
const waitsFirst = /^wait[-_]for/;

/**
 * The command behind "--" of a program that nobody here knows: "NAME [OPTIONS] -- CMD" is how wrappers are told where their own
 * words end. What it runs is taken for a process of its own.
 */
export function peelUnknown(name: string, args: readonly string[]): Peeled | null {
  const at = args.indexOf('--');
  const [first] = args.slice(at + 1);
  const isScript = /\.\w+$/.test(name) && !waitsFirst.test(name);
  if (at < 0 || first === undefined || first.startsWith('-')) return null;
  return isScript || elsewhere.test(name) ? null : { commands: [args.slice(at + 1)], env: {}, waits: true };
}

/** The first program of an image: it prepares, and becomes the command that it was given. One with flags alone is a program itself. */
export function peelEntrypoint(name: string, args: readonly string[]): Peeled | null {
  const [first] = args;
  if (!/(^|[-_.])entry-?point(\.sh)?$/.test(name) || first === undefined || first.startsWith('-'))
    return null;
  return { commands: [args], env: {}, waits: false };
}
