import { z } from 'zod';
import type { Mark } from '../../domain/instance.ts';
import { DockerOptions } from '../../container/options.ts';

const UnitName = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9:_.@-]{0,200}$/)
  .meta({ examples: ['llama-mistral'] })
  .describe('Name of the unit, with or without ".service"; replicas of "x@" are x@0, x@1 and so on.');

const Value = z.union([z.string(), z.number(), z.boolean()]);
const Section = z
  .record(z.string().regex(/^[A-Za-z][A-Za-z0-9-]*$/), z.union([Value, z.array(Value)]))
  .describe('Keys of this section as systemd names them; they take the place of those that berth writes.');

/** How a daemon starts it again, and how long its pull may be silent, says nothing to a unit. */
const others = { kind: true, restart: true, hostConfig: true, pullTimeout: true } as const;

/** What of a container is said as the target docker says it; podman runs it, and the unit starts it again. */
export const UnitContainer = DockerOptions.omit(others).describe(
  'Run in a container of podman, whose unit podman makes of a Quadlet file (podman 5 or newer).',
);
export type UnitContainer = z.infer<typeof UnitContainer>;

/** Keys of `target:` for units of systemd. */
export const SystemdOptions = z.strictObject({
  kind: z.literal('systemd'),
  unit: z
    .union([
      UnitName,
      z.strictObject({
        name: UnitName.optional(),
        Unit: Section.optional(),
        Service: Section.optional(),
        Install: Section.optional(),
        Container: Section.optional(),
      }),
    ])
    .optional()
    .describe('Name of the unit, or its name with raw keys that go into the unit as they are.'),
  container: UnitContainer.optional(),
  hardening: z
    .enum(['strict', 'basic', 'off'])
    .default('strict')
    .describe('How much is shut off from the engine; user units have only what needs no rights.'),
  user: z
    .string()
    .min(1)
    .optional()
    .describe('User that a system unit runs as (default: one of its own that exists while it runs).'),
  restart: z
    .enum(['on-failure', 'always', 'no'])
    .default('on-failure')
    .describe('When systemd starts it again.'),
});
export type SystemdOptions = z.infer<typeof SystemdOptions>;

/** The options that a unit was made by: this schema has parsed them before they were written into its mark. */
export function optionsOf({ target }: Pick<Mark, 'target'>): SystemdOptions {
  return target as unknown as SystemdOptions;
}

export interface UnitWish {
  readonly name: string | null;
  readonly raw: Readonly<Record<'Unit' | 'Service' | 'Install' | 'Container', z.infer<typeof Section>>>;
}

/** The two forms of `unit:` as one. */
export function unitWish({ unit }: Pick<SystemdOptions, 'unit'>): UnitWish {
  const wish = typeof unit === 'object' ? unit : { name: unit };
  const { name, Unit = {}, Service = {}, Install = {}, Container = {} } = wish;
  return {
    name: name === undefined ? null : name.replace(/\.service$/, ''),
    raw: { Unit, Service, Install, Container },
  };
}
