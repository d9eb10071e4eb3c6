import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

const script = resolve(import.meta.dirname, 'ssh-box.sh');

/** Who logs in on a machine of ssh-box.sh without being root. */
export const sshUser = { name: 'op', id: '2000', home: '/home/op' };

/**
 * Lets `sshUser` log in there, and use sudo as `sudo` says: files of users of the machine's own lie over those of this one. May be
 * called again with another word.
 */
export function addSshUser(machine: string, sudo = ''): void {
  const { name, id, home } = sshUser;
  const files = sudo === '' ? ['passwd', 'group', 'shadow'] : ['passwd', 'group', 'shadow', 'sudoers'];
  const own = `${machine}/etc`;
  const lines = [
    `mkdir -p ${own}`,
    `umount /etc/sudoers 2>/dev/null || true`,
    ...files.map((file) => `[ -e ${own}/${file} ] || cp /etc/${file} ${own}/`),
    `grep -q '^${name}:' ${own}/passwd || { echo '${name}:x:${id}:${id}::${home}:/bin/sh' >>${own}/passwd; echo '${name}:x:${id}:' >>${own}/group; echo '${name}:*:19000:0:99999:7:::' >>${own}/shadow; }`,
    ...(sudo === '' ? [] : [`echo '${name} ALL=(ALL) ${sudo}' >${own}/sudoers; chmod 440 ${own}/sudoers`]),
    ...files.map((file) => `mountpoint -q /etc/${file} || mount --bind ${own}/${file} /etc/${file}`),
  ];
  execFileSync(script, ['enter', machine, 'sh', '-c', lines.join('\n')], { stdio: 'pipe' });
}
