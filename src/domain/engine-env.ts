import { z } from 'zod';
import type { LaunchSpec } from './launch-spec.ts';
import type { AnySecret } from './secret.ts';
import { NamedAnySecret } from './units.ts';

const Given = z.strictObject({
  secret: NamedAnySecret.describe('Where its value lies; in a cluster alone, as a variable of the pod.'),
});

/** Variables of an engine: texts, and references to secrets. */
export const EngineEnv = z.record(z.string(), z.union([z.string(), Given]));
export type EngineEnv = z.infer<typeof EngineEnv>;

/** Those that are texts. */
export function textsOf(env: EngineEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
}

/** Those that are secrets, as parts of a spec: each has a name of its own among the secrets. */
export function secretsOf(env: EngineEnv): {
  secrets: Record<string, AnySecret>;
  rest: Pick<LaunchSpec, 'secretEnv'>;
} {
  const given = Object.entries(env).flatMap(([name, value]) =>
    typeof value === 'string' ? [] : [[name, value.secret] as const],
  );
  if (given.length === 0) return { secrets: {}, rest: {} };
  return {
    secrets: Object.fromEntries(given.map(([name, ref]) => [secretName(name), ref])),
    rest: { secretEnv: Object.fromEntries(given.map(([name]) => [name, secretName(name)])) },
  };
}

function secretName(variable: string): string {
  return `env-${variable}`;
}
