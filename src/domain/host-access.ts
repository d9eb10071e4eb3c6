import { z } from 'zod';

export const becomes = ['none', 'sudo'] as const;

/** How a host is reached and what may be done there; plans carry it. */
export const HostAccess = z.strictObject({
  /** "sudo": what belongs to the system is changed through "sudo -n"; "none": as the user that berth runs as. */
  become: z.enum(becomes),
});
export type HostAccess = z.infer<typeof HostAccess>;
