import { z } from 'zod';
import { ClusterSecret, variableOfSecret } from './secret.ts';
import type { SecretRef } from './secret.ts';

/** Quantities as people write them in the fleet file. `examples` reach the editor's help and the text of faults. */

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** "250ms", "30s", "5m", "2h", "1d" → milliseconds. */
export const Duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/)
  .transform((text) => {
    const unit = text.replace(/^\d+/, '') as keyof typeof durationUnits;
    return Number.parseInt(text, 10) * durationUnits[unit];
  })
  .meta({ examples: ['250ms', '30s', '5m', '2h'] });

/** A duration that may not be nothing. */
export const PositiveDuration = Duration.refine((ms) => ms > 0, {
  error: 'It must be longer than nothing.',
}).meta({
  examples: ['30s', '10m'],
});

const sizeUnits = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
} as const;

/** "512Mi", "6Gi" (powers of 1024) or "8GB" (powers of 1000) → bytes. */
export const ByteSize = z
  .string()
  .regex(/^\d+(\.\d+)?(B|kB|MB|GB|TB|Ki|Mi|Gi|Ti)$/)
  .transform((text) => {
    const unit = text.replace(/^[\d.]+/, '') as keyof typeof sizeUnits;
    return Math.round(Number.parseFloat(text) * sizeUnits[unit]);
  })
  .meta({ examples: ['512Mi', '6Gi', '8GB'] });

/** A size that may not be nothing. */
export const PositiveByteSize = ByteSize.refine((bytes) => bytes > 0, {
  error: 'It must be more than nothing.',
}).meta({ examples: ['64Ki', '512Mi'] });

export const Port = z.int().min(1).max(65535);

/** "18400-18499" → both ends included. */
export const PortRange = z
  .string()
  .regex(/^\d{1,5}-\d{1,5}$/)
  .transform((text) => {
    const [from, to] = text.split('-').map(Number) as [number, number];
    return { from, to };
  })
  .refine((range) => range.from >= 1 && range.from <= range.to && range.to <= 65535, {
    error: 'The first port must not be above the last, and the last not above 65535.',
  })
  .meta({ examples: ['18400-18499'] });
export type PortRange = z.infer<typeof PortRange>;

/** "127.0.0.1:8484", "[::1]:8484" → address and port; port 0 takes any free one. */
export const ListenAddress = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+):\d{1,5}$/)
  .transform((text) => {
    const at = text.lastIndexOf(':');
    return { address: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
  })
  .refine((listen) => listen.port <= 65535, { error: 'A port is at most 65535.' })
  .meta({ examples: ['127.0.0.1:8484', '[::1]:8484'] });
export type ListenAddress = z.infer<typeof ListenAddress>;

/** "${env:NAME}" or "${file:/path}": where a secret lies. The secret itself never stands in a fleet file. */
export const SecretText = z
  .string()
  .regex(/^\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^}]+)\}$/)
  .transform((text): SecretRef => {
    const inner = text.slice(2, -1);
    const rest = inner.slice(inner.indexOf(':') + 1);
    return inner.startsWith('env:') ? { env: rest } : { file: rest };
  })
  .meta({ examples: ['${env:API_KEY}', '${file:/run/secrets/key}'] });

/** The same, or the name of one in the table of secrets: the file's reader has put the reference there before a schema sees it. */
export const NamedSecret = SecretText.meta({
  pattern: '^(\\$\\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^}]+)\\}|[a-z0-9]([a-z0-9._-]*[a-z0-9])?)$',
});

/** The same, or what a cluster has and gives to its pods alone. */
export const NamedAnySecret = z
  .union([NamedSecret, ClusterSecret])
  .meta({ examples: ['${env:API_KEY}', '${file:/run/secrets/key}'] });

/** What a gateway asks for. One that runs in a cluster is given a value of a Secret there as a variable. */
export const GatewaySecret = z
  .union([NamedSecret, ClusterSecret.transform(variableOfSecret)])
  .meta({ examples: ['${env:API_KEY}', '${file:/run/secrets/key}'] });

/** An entry of the table of secrets. */
export const TableSecret = z
  .union([SecretText, ClusterSecret])
  .meta({ examples: ['${env:API_KEY}', '${file:/run/secrets/key}'] });

const StoreText = z
  .string()
  .regex(/^(rediss?:\/\/[^@\s]+|\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^}]+)\})$/)
  .transform((text): SecretRef | { url: string } =>
    text.startsWith('${') ? SecretText.parse(text) : { url: text },
  )
  .meta({
    examples: ['redis://10.0.0.5:6379', '${env:REDIS_URL}'],
    pattern:
      '^(rediss?:\\/\\/[^@\\s]+|\\$\\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^}]+)\\}|[a-z0-9]([a-z0-9._-]*[a-z0-9])?)$',
  });

/** A Redis: its URL without a password, or where the URL lies as a secret does. */
export const SharedStore = z
  .union([StoreText, ClusterSecret.transform(variableOfSecret)])
  .meta({ examples: ['redis://10.0.0.5:6379', '${env:REDIS_URL}'] });
