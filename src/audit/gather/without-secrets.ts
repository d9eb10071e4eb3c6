import { z } from 'zod';
import { showsSecret } from '../../domain/audit/secret-variable.ts';
import { redact, redactText } from '../../domain/command-line/redact.ts';

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
  // A Model of KubeAI has its variables by name; those of an application of Ray stand in a text of its own.
  if (key === 'env' && !Array.isArray(value)) return hideBySecretName(value);
  if (rayTexts.includes(key)) return typeof value === 'string' ? redactText(hideByLine(value)) : value;
  // Probes ask with headers, which are written as variables are.
  const variable = Variable.safeParse(value).data;
  return variable && (showsSecret(variable) || secretHeader.test(variable.name))
    ? { ...(value as object), value: '***' }
    : value;
}

const secretHeader = /^((proxy-)?authorization|([a-z]+-)*api-?key|cookie)$/i;

const rayTexts = ['serveConfigV2', 'runtimeEnvYAML', 'entrypoint'];

function hideBySecretName(value: unknown): unknown {
  const variables = z.record(z.string(), z.string()).safeParse(value).data;
  if (!variables) return value;
  return Object.fromEntries(
    Object.entries(variables).map(([name, one]) => [name, showsSecret({ name, value: one }) ? '***' : one]),
  );
}

/** "HF_TOKEN: hf_1" in a text of YAML or JSON. */
function hideByLine(text: string): string {
  return text.replace(
    /(["']?)(\w+)\1(\s*:\s*)("[^"]*"|'[^']*'|[^\s,}\]]+)/g,
    (whole, quote: string, name: string, colon: string, one: string) =>
      showsSecret({ name, value: one }) ? `${quote}${name}${quote}${colon}"***"` : whole,
  );
}
