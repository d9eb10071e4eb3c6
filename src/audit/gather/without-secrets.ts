import { z } from 'zod';
import { showsSecret } from '../../domain/audit/secret-variable.ts';
import { redact } from '../../domain/command-line/redact.ts';

const Words = z.array(z.string());
const Variable = z.object({ name: z.string(), value: z.string().min(1) });

/**
 * Objects as they may be kept and passed on: without Secrets, with the values of variables and flags that carry one replaced. That
 * there is a value stays known.
 */
export function withoutSecrets(objects: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  return objects
    .filter((object) => object['kind'] !== 'Secret')
    .map((object) => JSON.parse(JSON.stringify(object, replace)) as Record<string, unknown>);
}

function replace(key: string, value: unknown): unknown {
  // Both repeat the whole object.
  if (key === 'managedFields' || key === 'kubectl.kubernetes.io/last-applied-configuration') return undefined;
  if (key === 'args' || key === 'command') {
    const words = Words.safeParse(value).data;
    return words ? redact(words) : value;
  }
  const variable = Variable.safeParse(value).data;
  return variable && showsSecret(variable) ? { ...(value as object), value: '***' } : value;
}
