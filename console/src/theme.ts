import { useSyncExternalStore } from 'react';

export const themes = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const name = 'berth-theme';
const listeners = new Set<() => void>();

export function savedTheme(): Theme {
  const saved = localStorage.getItem(name);
  return themes.find((theme) => theme === saved) ?? 'auto';
}

/** The colour scheme is a class of the page's root; all colours follow from it (light-dark() in tokens.css). */
export function applyTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
  localStorage.setItem(name, theme);
  for (const listener of listeners) listener();
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, savedTheme);
}

/** Changes whenever the colours change, by choice or by the system. For what cannot follow CSS: canvases. */
export function useColourKey(): string {
  return useSyncExternalStore(subscribe, () => `${savedTheme()} ${systemDark().matches}`);
}

/** The colour that a token of tokens.css stands for right now, as a canvas takes it. */
export function colourOf(token: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function systemDark(): MediaQueryList {
  return matchMedia('(prefers-color-scheme: dark)');
}

function subscribe(listener: () => void): () => void {
  const media = systemDark();
  listeners.add(listener);
  media.addEventListener('change', listener);
  return () => {
    listeners.delete(listener);
    media.removeEventListener('change', listener);
  };
}
