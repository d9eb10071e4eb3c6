import { useSyncExternalStore } from 'react';

/** Where the page is, kept in the fragment so that reloading and the back button work and the server needs no routes. */
export type Route =
  | { readonly page: 'fleet' }
  | { readonly page: 'playground'; readonly model: string | null }
  | { readonly page: 'requests' }
  | { readonly page: 'runs' }
  | { readonly page: 'keys' }
  | { readonly page: 'run'; readonly id: string }
  | { readonly page: 'logs'; readonly deployment: string | null };

export function parseRoute(hash: string): Route {
  const [page, rest] = hash
    .replace(/^#\/?/, '')
    .split('/')
    .map((part) => safeDecode(part));
  if (page === 'playground') return { page, model: rest ?? null };
  if (page === 'requests') return { page };
  if (page === 'runs') return rest ? { page: 'run', id: rest } : { page };
  if (page === 'keys') return { page };
  if (page === 'logs') return { page, deployment: rest ?? null };
  return { page: 'fleet' };
}

export function hrefOf(route: Route): string {
  switch (route.page) {
    case 'fleet':
    case 'requests':
    case 'runs':
    case 'keys':
      return `#/${route.page}`;
    case 'run':
      return `#/runs/${encodeURIComponent(route.id)}`;
    case 'playground':
      return route.model === null ? '#/playground' : `#/playground/${encodeURIComponent(route.model)}`;
    case 'logs':
      return route.deployment === null ? '#/logs' : `#/logs/${encodeURIComponent(route.deployment)}`;
  }
}

export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, () => location.hash));
}

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
