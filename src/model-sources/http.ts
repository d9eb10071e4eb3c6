import { basename } from 'node:path';
import { splitSet } from '../domain/split-files.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { shownSource } from '../domain/model-source.ts';
import { secondsToWait } from '../io/download/wait-of.ts';
import type { ModelSource } from './contract.ts';

/** One file, or all files of a split model where the first is named. A sum may stand behind: "#sha256=…". */
export const httpSource = {
  kind: 'http',
  form: 'https://HOST/PATH/FILE[#sha256=SUM]',
  title: 'Any web server',
  owns: (source) => /^https?:\/\//.test(source),
  misshapen: (source) => {
    if (!URL.canParse(source) || nameIn(new URL(source)) === '')
      return 'It wants a host and the path of a file.';
    const page = hubPage.exec(source);
    if (page) return `It is a page of the Hub and no file: what it shows is ${hubNameOf(page)}.`;
    const { hash } = new URL(source);
    return hash === '' || sumIn(hash) !== null
      ? null
      : 'What stands behind # is no sum: "sha256=" and 64 digits of hexadecimal.';
  },
  endpoint: async () => null,
  wanted: (source) => ({ path: nameIn(urlOf(source)), quant: null }),
  list: async (_world, source) => {
    const url = urlOf(source);
    const name = nameIn(url);
    const sum = sumIn(url.hash);
    if (name === '')
      throw new BerthError('MODEL_SOURCE_UNKNOWN', { source: shownSource(source), forms: [httpSource.form] });
    return {
      revision: null,
      licence: null,
      files: splitSet(name).map((path) => ({ path, size: null, sha256: path === name ? sum : null })),
    };
  },
  address: async (_world, source, _model, file, { secret }) => {
    const url = urlOf(source);
    url.hash = '';
    url.pathname = url.pathname.replace(/[^/]*$/, encodeURIComponent(file.path));
    return { url: url.href, headers: secret === null ? {} : { authorization: `Bearer ${secret.trim()}` } };
  },
  refusal: async (world, source, _access, reply) => {
    const { host, pathname } = urlOf(source);
    const shown = host + pathname;
    if (reply.status === 404 || reply.status === 410)
      return new BerthError('MODEL_NOT_FOUND', { source: shown, what: `${host} has no such file`, near: [] });
    if (reply.status === 401 || reply.status === 403) {
      const cure = 'Name the file that holds its token as "secret" of the model in the fleet file.';
      return new BerthError('MODEL_UNAUTHORIZED', {
        source: shown,
        said: `${host} answers ${reply.status}`,
        cure,
      });
    }
    if (reply.status === 429)
      return new BerthError('MODEL_QUOTA', {
        source: shown,
        retryAfter: secondsToWait(reply.headers, world.clock.wall()),
      });
    return new BerthError('MODEL_PLACE_FAILED', {
      source: shown,
      place: host,
      reason: `it answers ${reply.status}`,
    });
  },
} as const satisfies ModelSource;

/** What a browser shows of a repository or of a file in it; files themselves are behind /resolve/. */
const hubPage =
  /^https?:\/\/(?:www\.)?(?:huggingface\.co|hf\.co)\/(?!api\/|datasets\/|spaces\/)([\w.-]+\/[\w.-]+)\/?(?:(?:tree|blob)\/([^/?#]+)(?:\/([^?#]*))?)?(?:[?#].*)?$/;

function hubNameOf([, repo = '', revision = 'main', path = '']: RegExpExecArray): string {
  const file = path.replace(/\/$/, '');
  return `hf://${repo}${revision === 'main' ? '' : `@${revision}`}${file === '' ? '' : `/${file}`}`;
}

/** As it is written where its escapes are none. */
function nameIn({ pathname }: URL): string {
  const name = basename(pathname);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** A sum that is none would be a file that nothing is held against. */
function sumIn(hash: string): string | null {
  return /^#sha256=([0-9a-f]{64})$/i.exec(hash)?.[1]?.toLowerCase() ?? null;
}

function urlOf(source: string): URL {
  if (!URL.canParse(source))
    throw new BerthError('MODEL_SOURCE_UNKNOWN', { source: shownSource(source), forms: [httpSource.form] });
  return new URL(source);
}
