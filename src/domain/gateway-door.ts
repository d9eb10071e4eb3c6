import { z } from 'zod';
import { KubeName } from './secret.ts';

/** How clients of the gateway come in, as the fleet file says it. */

export const Tls = z
  .strictObject({
    cert: z.string().min(1).optional().describe('Path of the certificate (PEM), with its chain behind it.'),
    key: z.string().min(1).optional().describe('Path of its private key (PEM).'),
    secret: KubeName.optional().describe(
      'For the gateway in a cluster: its Secret of the type kubernetes.io/tls, which has both, such as one of cert-manager.',
    ),
    clientCa: z
      .string()
      .min(1)
      .optional()
      .describe('Path of authorities (PEM): clients must show a certificate of one of them.'),
    clientNames: z
      .boolean()
      .optional()
      .describe(
        'With `clientCa`: a client whose certificate has the name of a key as its common name is taken for that key, and need not show it.',
      ),
  })
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), {
    error: 'A certificate and its key go together.',
    params: { cure: 'Write both of cert and key.' },
  })
  .refine(({ cert, key, secret }) => (cert ?? key ?? secret) !== undefined, {
    error: 'It names no certificate.',
    params: { cure: 'Write cert and key, or secret for the gateway in a cluster.' },
  })
  .describe('Serve over TLS alone. The files are read again when they change.');

export const Cors = z
  .strictObject({
    origins: z
      .array(
        z
          .string()
          .regex(/^[a-z][a-z0-9+.-]*:\/\/[^/\s*]+$/)
          .meta({ examples: ['https://chat.example.com'] }),
      )
      .describe('Origins whose pages may use the gateway: scheme, host and port, no path.'),
  })
  .describe('Pages in browsers that may use the gateway. Without it, none may.');
