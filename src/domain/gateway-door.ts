import { z } from 'zod';

/** How clients of the gateway come in, as the fleet file says it. */

export const Tls = z
  .strictObject({
    cert: z.string().min(1).describe('Path of the certificate (PEM), with its chain behind it.'),
    key: z.string().min(1).describe('Path of its private key (PEM).'),
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
