import { flagValue, hasFlag } from './flags.ts';

/** How a server says itself that it is asked. */
export interface ServerDoor {
  readonly tls: boolean;
  /** It lets nobody in without a certificate of their own. */
  readonly mutual: boolean;
  /** Before all its paths: "/chat", or nothing. */
  readonly prefix: string;
}

const certificateFlags = [
  '--ssl-key-file',
  '--ssl-cert-file',
  '--ssl-keyfile',
  '--ssl-certfile',
  '--ssl_keyfile',
  '--ssl_certfile',
];

/** Read from its command line, and from its variables where these are seen. */
export function doorOf(
  argv: readonly string[],
  env: Readonly<Record<string, string>> | null = null,
): ServerDoor {
  const tls = hasFlag(argv, ...certificateFlags) || Boolean(env?.['LLAMA_ARG_SSL_CERT_FILE']);
  // As Python's ssl module counts: 2 is required.
  const mutual = flagValue(argv, '--ssl-cert-reqs', '--ssl_cert_reqs') === '2';
  const given = flagValue(argv, '--api-prefix') ?? env?.['LLAMA_ARG_API_PREFIX'] ?? '';
  const prefix = given.replace(/\/+$/, '');
  return { tls, mutual, prefix: prefix === '' || prefix.startsWith('/') ? prefix : `/${prefix}` };
}
