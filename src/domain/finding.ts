import { z } from 'zod';

export const severities = ['info', 'warning', 'critical'] as const;

/** What a fault takes for nothing, as far as it is known. */
export const FindingCost = z.strictObject({
  memoryBytes: z.int().optional(),
  gpuBytes: z.int().optional(),
  diskBytes: z.int().optional(),
  /** Where the fleet file has the price of the host. */
  usdPerMonth: z.number().optional(),
});
export type FindingCost = z.infer<typeof FindingCost>;

/** Something worth a person's attention: what, the very facts it rests on, and what to do. */
export const Finding = z.strictObject({
  rule: z.string(),
  severity: z.enum(severities),
  object: z.string(),
  /** The host that it is on, where that is not the machine berth runs on. */
  host: z.string().optional(),
  /** Other names of the same object, by which a fleet file may speak of it. */
  names: z.array(z.string()).optional(),
  message: z.string(),
  evidence: z.array(z.string()),
  cure: z.string(),
  cost: FindingCost.optional(),
  /** What a plan of the fleet does about it: these deployments, and no others, are made as the file says, or started again. */
  fix: z
    .strictObject({
      deployments: z.array(z.string()),
      restart: z.boolean(),
      /** Files of this process that others may no longer read afterwards. */
      close: z.strictObject({ pid: z.int(), paths: z.array(z.string()) }).optional(),
    })
    .optional(),
  /** What carries the cure out, where that can be said as commands; nothing runs them by itself. */
  commands: z.array(z.string()).optional(),
});
export type Finding = z.infer<typeof Finding>;
