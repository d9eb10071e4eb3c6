import { GatewayConfig } from '../domain/gateway-config.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { Files } from '../io/files.ts';
import { policyFaults } from './policies/registry.ts';

/** Reads and checks a config file. Throws GATEWAY_CONFIG_INVALID with all faults, FILE_MISSING when it is not there. */
export async function readConfig(files: Files, path: string): Promise<GatewayConfig> {
  const text = await files.read(path);
  if (text === null) throw new BerthError('FILE_MISSING', { path, what: 'gateway config' });
  const parsed = GatewayConfig.safeParse(parseJson(text, path));
  const faults = parsed.success
    ? crossFaults(parsed.data)
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  if (!parsed.success || faults.length > 0) throw new BerthError('GATEWAY_CONFIG_INVALID', { path, faults });
  return parsed.data;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const faults = [error instanceof Error ? error.message : String(error)];
    throw new BerthError('GATEWAY_CONFIG_INVALID', { path, faults }, { cause: error });
  }
}

/** What a schema cannot see: names that clash, hashes and addresses that are none. */
function crossFaults(config: GatewayConfig): string[] {
  const faults = [
    ...twice(config.routes.map((route) => route.name)).map((name) => `routes: "${name}" occurs twice`),
    ...twice([...new Map(config.keys.map((key) => [key.id, key.name])).values()]).map(
      (name) => `keys: "${name}" occurs twice`,
    ),
    ...twice(config.upstreams.map((upstream) => upstream.id)).map((id) => `upstreams: "${id}" occurs twice`),
  ];
  for (const key of config.keys)
    if (!/^[0-9a-f]{64}$/i.test(key.sha256))
      faults.push(`keys: the hash of "${key.name}" is no SHA-256 in hex`);
  for (const [one, other] of sameSecret(config.keys))
    faults.push(`keys: "${one}" and "${other}" are one and the same secret`);
  for (const upstream of config.upstreams)
    if (!isHttpUrl(upstream.url)) faults.push(`upstreams: the url of "${upstream.id}" is not http or https`);
  for (const { name, policy } of config.routes)
    if (policy)
      faults.push(...policyFaults(policy).map((text) => `routes: the policy of "${name}": ${text}`));
  for (const [name, policy] of Object.entries(config.policies ?? {}))
    faults.push(...policyFaults(policy).map((text) => `policies: that of "${name}": ${text}`));
  return faults;
}

function sameSecret(keys: GatewayConfig['keys']): [string, string][] {
  const holders = new Map<string, string>();
  return keys.flatMap(({ name, sha256 }): [string, string][] => {
    const holder = holders.get(sha256);
    holders.set(sha256, name);
    return holder === undefined ? [] : [[holder, name]];
  });
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function twice(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
}
