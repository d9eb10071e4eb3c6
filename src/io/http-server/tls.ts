import tls from 'node:tls';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { TlsMaterial } from '../tls/material.ts';

/** A client that does not finish its handshake holds a connection no longer than this. */
const handshakeMs = 20_000;

/** Options of a server. Node's list of ciphers is kept up to date with Node; what it still allows below TLS 1.2 is not. */
export function tlsOptions(material: TlsMaterial): TlsOptions {
  return {
    ...contextOf(material),
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: handshakeMs,
    requestCert: material.clientCa !== null,
    rejectUnauthorized: material.clientCa !== null,
  };
}

/** New connections get the new certificate; those that are open go on. No effect on a server without TLS. */
export function renewTls(server: object, material: TlsMaterial): void {
  if (server instanceof tls.Server) server.setSecureContext(contextOf(material));
}

/** Of a certificate that was checked against the authorities for clients. */
export function commonName(socket: object): string | null {
  if (!(socket instanceof tls.TLSSocket) || !socket.authorized) return null;
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  return typeof name === 'string' ? name : null;
}

function contextOf({ cert, key, clientCa }: TlsMaterial): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2', ...(clientCa === null ? {} : { ca: clientCa }) };
}
