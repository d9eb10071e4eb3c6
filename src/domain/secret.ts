import { z } from 'zod';

/** Where a secret lies. Values never travel in plans, marks or logs; only the target resolves a reference. */
export const SecretRef = z.union([
  /** `dotenv`: a file of lines NAME=VALUE that has the variable too, for when the environment has none. */
  z.strictObject({ env: z.string().min(1), dotenv: z.string().min(1).optional() }),
  z.strictObject({ file: z.string().min(1) }),
]);
export type SecretRef = z.infer<typeof SecretRef>;

const hidden = '[secret]';

/** A text of a server that was shown the secret and may repeat it, also where the text was cut within it. */
export function hideSecret(text: string, secret: string | null): string {
  if (!secret) return text;
  const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
  const whole = forms.reduce((now, form) => now.replaceAll(form, hidden), text);
  for (let length = secret.length - 1; length >= 6; length -= 1)
    if (whole.endsWith(secret.slice(0, length))) return `${whole.slice(0, -length)}${hidden}`;
  return whole;
}
