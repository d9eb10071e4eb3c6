import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { TlsFiles } from '../../domain/gateway-config.ts';
import type { Files } from '../files.ts';

/** What a TLS server shows and asks for, as PEM; checked to fit together. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  /** Clients must show a certificate of these authorities; null: they need none. */
  readonly clientCa: string | null;
}

type Setting = 'cert' | 'key' | 'clientCa';
/** Which setting is at fault, why, and what to do. */
type Unusable = (setting: Setting, reason: string, cure: string) => BerthError<'TLS_UNUSABLE'>;

/** Reads and checks the files. Throws TLS_UNUSABLE for the first that is missing, damaged, out of date or does not match the others. */
export async function readTls(files: Files, names: TlsFiles, now: Date): Promise<TlsMaterial> {
  const paths = { cert: names.certFile, key: names.keyFile, clientCa: names.clientCaFile ?? '' };
  function unusable(setting: Setting, reason: string, cure: string): BerthError<'TLS_UNUSABLE'> {
    return new BerthError('TLS_UNUSABLE', { setting, path: paths[setting], reason, cure });
  }
  function read(setting: Setting): Promise<string> {
    return readText(files, paths[setting], (reason, cure) => unusable(setting, reason, cure));
  }
  const cert = await read('cert');
  const own = certificateOf(cert, 'cert', unusable);
  assertInDate(own, now, unusable);
  const key = await read('key');
  if (!own.checkPrivateKey(keyOf(key, unusable)))
    throw unusable(
      'key',
      `it is not the key of the certificate in ${paths.cert}`,
      'Name the key that the certificate was made for; in a chain the server certificate must come first.',
    );
  const clientCa = names.clientCaFile === null ? null : await read('clientCa');
  if (clientCa !== null) certificateOf(clientCa, 'clientCa', unusable);
  return { cert, key, clientCa };
}

async function readText(
  files: Files,
  path: string,
  fault: (reason: string, cure: string) => Error,
): Promise<string> {
  const text = await files.read(path).catch((error: NodeJS.ErrnoException) => {
    throw fault(`it cannot be read (${error.code ?? error.message})`, 'Let the user who runs berth read it.');
  });
  if (text === null) throw fault('there is no such file', 'Correct the path, or put the file there.');
  return text;
}

function certificateOf(pem: string, setting: 'cert' | 'clientCa', unusable: Unusable): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw unusable(setting, 'it holds no certificate in PEM form', 'It must begin with BEGIN CERTIFICATE.');
  }
}

function keyOf(pem: string, unusable: Unusable): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    const locked = pem.includes('ENCRYPTED');
    throw unusable(
      'key',
      locked ? 'it is locked by a passphrase' : 'it holds no private key in PEM form',
      locked
        ? 'Unlock it: openssl pkey -in KEY -out UNLOCKED, readable by its user alone.'
        : 'It must hold BEGIN PRIVATE KEY or its like.',
    );
  }
}

function assertInDate(certificate: X509Certificate, now: Date, unusable: Unusable): void {
  const [from, to] = [certificate.validFromDate, certificate.validToDate];
  if (now > to) throw unusable('cert', `it expired at ${to.toISOString()}`, 'Renew it.');
  if (now < from)
    throw unusable(
      'cert',
      `it is not valid before ${from.toISOString()}`,
      "Wait until then, or correct this machine's clock.",
    );
}
