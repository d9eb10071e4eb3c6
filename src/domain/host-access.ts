import { z } from 'zod';

export const becomes = ['none', 'sudo'] as const;

/** Where ssh is to go: "user@host", "host:2222", "ssh://user@host"; what is left out says the user's own configuration of ssh. */
export const SshPlace = z
  .string()
  .regex(
    /^(ssh:\/\/)?([A-Za-z0-9_][A-Za-z0-9_.-]*@)?([A-Za-z0-9][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/,
  )
  .meta({ examples: ['opc@a10'] });

/** How a host is reached and what may be done there; plans carry it. */
export const HostAccess = z.strictObject({
  /** "sudo": what belongs to the system is changed through "sudo -n"; "none": as the user that berth runs as. */
  become: z.enum(becomes),
  /** By ssh; absent for the machine that berth runs on. */
  ssh: SshPlace.optional(),
});
export type HostAccess = z.infer<typeof HostAccess>;

/** The machine that berth runs on, among machines. */
export const thisMachine = 'local';

/** Names a machine the same way whichever host of a file stands for it: "local", "ssh://opc@a10". */
export function machineOf(access: Pick<HostAccess, 'become' | 'ssh'> | undefined): string {
  if (access?.ssh === undefined) return thisMachine;
  return access.ssh.startsWith('ssh://') ? access.ssh : `ssh://${access.ssh}`;
}
