import { join } from 'node:path';
import type { Files } from '../io/files.ts';

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json',
};

/**
 * A file of the built console, null when there is none. Only plain names are looked up, so no path can leave the folder.
 * Names under assets/ carry a hash of their content and may be kept for ever; the page itself is asked for each time.
 */
export async function assetReply(files: Files, folder: string, path: string): Promise<Response | null> {
  const name = path === '/' ? '/index.html' : path;
  const match = /^\/(?:assets\/)?[\w-]+(?:\.[\w-]+)*\.(html|js|css|svg|json)$/.exec(name);
  if (!match) return null;
  const text = await files.read(join(folder, name));
  if (text === null) return null;
  return new Response(text, {
    headers: {
      'content-type': types[match[1] ?? ''] ?? 'application/octet-stream',
      'cache-control': name.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    },
  });
}
