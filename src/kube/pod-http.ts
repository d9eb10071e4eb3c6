import { z } from 'zod';
import type { Clock } from '../io/clock.ts';
import { connectFault } from '../io/connect-fault.ts';
import { passedOn } from '../io/http.ts';
import type { Http, HttpReply, HttpRequest } from '../io/http.ts';
import { parseJson } from '../domain/json.ts';
import { PodLive } from './answers.ts';
import type { Place } from './client.ts';
import { listPath, objectPath } from './kinds.ts';

/** So long it is taken for granted whether an address is reached from here. */
const knownMs = 30_000;

/** Short questions to pods: straight where their network is reached from here, else by way of the cluster's server. */
export function podHttp(http: Http, clock: Clock, placeOf: () => Promise<Place>): Http {
  const known = new Map<string, { at: number; fault: Error | null }>();
  async function faultOf(host: string, port: number): Promise<Error | null> {
    const key = `${host} ${port}`;
    const before = known.get(key);
    if (before && clock.now() - before.at < knownMs) return before.fault;
    const fault = await connectFault(host, port);
    known.set(key, { at: clock.now(), fault });
    return fault;
  }
  return {
    request: async (url, question) => {
      const { protocol, hostname, port, pathname, search } = new URL(url);
      const host = hostname.replace(/^\[|\]$/g, '');
      const isStraight = protocol === 'http:' && !question.proxy;
      const fault = isStraight ? await faultOf(host, Number(port) || 80) : null;
      if (!fault) return http.request(url, question);
      const place = await placeOf();
      const pod = await podAt(place, host);
      const reply = pod && (await passed(place, `${pod}:${port || 80}/proxy${pathname}${search}`, question));
      // Neither is heard by way of the server: what was wrong straight is what counts.
      if (!reply || isOwnRefusal(reply)) throw fault;
      return { ...reply, headers: { ...reply.headers, [passedOn]: 'pods/proxy' } };
    },
  };
}

async function podAt({ api, namespace }: Place, address: string): Promise<string | null> {
  const chosen = encodeURIComponent(`status.podIP=${address}`);
  const path = `${listPath({ apiVersion: 'v1', kind: 'Pod' }, namespace)}?fieldSelector=${chosen}`;
  const { status, json } = await api.ask('GET', path);
  const pods = status === 200 ? (Pods.safeParse(json).data?.items ?? []) : [];
  return pods.find((pod) => pod.status?.podIP === address)?.metadata.name ?? null;
}

const Pods = z.object({ items: z.array(PodLive) });

/** The server keeps `Authorization` for itself, so that a key goes by the other header that engines read, where they do. */
function passed({ api, namespace }: Place, way: string, question: HttpRequest): Promise<HttpReply> {
  const { authorization, ...headers } = question.headers ?? {};
  const key = authorization?.replace(/^Bearer /, '');
  const path = `${objectPath({ apiVersion: 'v1', kind: 'Pod' }, namespace, '')}${way}`;
  return api.pass(path, { ...question, headers: { ...headers, ...(key ? { 'x-api-key': key } : {}) } });
}

/** The server's own words, such as that one may not, or that it does not reach the pod either. */
function isOwnRefusal({ status, text }: HttpReply): boolean {
  return status >= 400 && Status.safeParse(parseJson(text)).success;
}

const Status = z.object({ kind: z.literal('Status'), apiVersion: z.string().optional() });
