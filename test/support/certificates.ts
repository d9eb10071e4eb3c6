import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Paths of a certificate and its key, and what stands in them. */
export interface Made {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
}

/** Certificates of an authority that exists for one test, made by the openssl of the machine. */
export interface Authority extends Made {
  readonly folder: string;
  /** `days` below 0: it has expired already. Also valid for 127.0.0.1 unless `names` says otherwise. */
  readonly issue: (name: string, options?: { days?: number; names?: string }) => Made;
}

export const opensslMissing = ((): string => {
  try {
    execFileSync('openssl', ['version']);
    return '';
  } catch {
    return ' (skipped: no openssl on this machine)';
  }
})();

export function makeAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'berth certificates '));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  function openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  }
  function made(name: string): Made {
    const [certFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
    return { certFile, keyFile, cert: readFileSync(certFile, 'utf8') };
  }
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];
  const days = ['-days', '2'];
  openssl(
    'req',
    '-x509',
    ...curve,
    ...days,
    '-subj',
    '/CN=Test authority',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
  );
  return {
    ...made('ca'),
    folder,
    issue: (name, options = {}) => {
      const names = options.names ?? 'DNS:localhost,IP:127.0.0.1';
      writeFileSync(join(folder, 'names'), `subjectAltName=${names}\n`);
      openssl('req', ...curve, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
      const from = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names'];
      openssl(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        ...from,
        '-days',
        String(options.days ?? 2),
        '-out',
        `${name}.crt`,
      );
      return made(name);
    },
  };
}
