import { createHash } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** A registry that gives one image, by any name with the tag "one", and remembers who asked. */
export interface PrivateRegistry {
  readonly place: string;
  /** What came as `Authorization`, each once; "" is nobody. */
  readonly asked: ReadonlySet<string>;
  readonly close: () => void;
}

/**
 * Speaks the distribution API as far as a pull goes, over plain HTTP, which daemons take from the loopback. Null: nobody has to log in.
 * `content` is what its one layer holds.
 */
export async function startPrivateRegistry(
  login: { user: string; password: string } | null,
  content: Buffer = Buffer.alloc(0),
): Promise<PrivateRegistry> {
  const wanted = login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
  const asked = new Set<string>();
  const blobs = new Map<string, { type: string; body: Buffer }>();
  function blob(type: string, body: Buffer): { mediaType: string; size: number; digest: string } {
    const digest = digestOf(body);
    blobs.set(digest, { type, body });
    return { mediaType: type, size: body.length, digest };
  }
  const tar = archiveOf(content);
  const layer = blob('application/vnd.docker.image.rootfs.diff.tar.gzip', gzipSync(tar));
  const settings = {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    history: [{ created: '2020-01-01T00:00:00Z' }],
  };
  const config = blob(
    'application/vnd.docker.container.image.v1+json',
    Buffer.from(JSON.stringify(settings)),
  );
  const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';
  const manifest = { schemaVersion: 2, mediaType: manifestType, config, layers: [layer] };
  const { digest } = blob(manifestType, Buffer.from(JSON.stringify(manifest)));

  const server = http.createServer((request, response) => {
    const given = request.headers.authorization ?? '';
    asked.add(given);
    if (wanted !== null && given !== wanted) {
      const errors = [{ code: 'UNAUTHORIZED', message: 'authentication required' }];
      const headers = { 'www-authenticate': 'Basic realm="lab"', 'content-type': 'application/json' };
      return void response.writeHead(401, headers).end(JSON.stringify({ errors }));
    }
    const name = request.url?.split('/').at(-1) ?? '';
    const found = blobs.get(name === 'one' ? digest : name);
    if (!found) return void response.writeHead(request.url === '/v2/' ? 200 : 404).end('{}');
    response.writeHead(200, {
      'content-type': found.type,
      'content-length': found.body.length,
      'docker-content-digest': digestOf(found.body),
    });
    response.end(request.method === 'HEAD' ? undefined : found.body);
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  const place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    place,
    asked,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** An archive of one file with that content; of nothing where it is empty. */
function archiveOf(content: Buffer): Buffer {
  // Two empty blocks are its end.
  const end = Buffer.alloc(1024);
  if (content.length === 0) return end;
  const head = Buffer.alloc(512);
  head.write('content', 0);
  head.write('0000644\0' + '0000000\0' + '0000000\0', 100);
  head.write(`${content.length.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0`, 124);
  head.write('        0', 148);
  head.write('ustar\0' + '00', 257);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([head, content, Buffer.alloc((512 - (content.length % 512)) % 512), end]);
}

function digestOf(body: Buffer): string {
  return `sha256:${createHash('sha256').update(body).digest('hex')}`;
}
