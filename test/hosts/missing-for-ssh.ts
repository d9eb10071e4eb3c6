import { accessSync } from 'node:fs';

/** Empty where a machine with a real sshd can be made; else why not. */
export function missingForSsh(): string {
  if (process.getuid?.() !== 0) return 'root';
  for (const path of ['/usr/sbin/sshd', '/usr/bin/ssh', '/usr/bin/nsenter', '/sbin/ip'])
    try {
      accessSync(path);
    } catch {
      return path;
    }
  return '';
}
