import type { ReactNode } from 'react';
import { hrefOf } from './route.ts';
import type { Route } from './route.ts';
import { applyTheme, themes, useTheme } from './theme.ts';
import type { Theme } from './theme.ts';
import type { LiveFleet } from './use-live-fleet.ts';

const pages: readonly { readonly title: string; readonly route: Route; readonly holds: readonly string[] }[] =
  [
    { title: 'Fleet', route: { page: 'fleet' }, holds: ['fleet'] },
    { title: 'Playground', route: { page: 'playground', model: null }, holds: ['playground'] },
    { title: 'Requests', route: { page: 'requests' }, holds: ['requests'] },
    { title: 'Runs', route: { page: 'runs' }, holds: ['runs', 'run'] },
    { title: 'Keys', route: { page: 'keys' }, holds: ['keys'] },
    { title: 'Logs', route: { page: 'logs', deployment: null }, holds: ['logs'] },
  ];

export function Navigation({ route, live }: { route: Route; live: LiveFleet }): ReactNode {
  return (
    <header className="side">
      <a className="brand" href={hrefOf({ page: 'fleet' })}>
        <img src="/icon.svg" alt="" width="26" height="26" />
        <span>berth</span>
      </a>
      <nav aria-label="Pages">
        <ul>
          {pages.map((page) => (
            <li key={page.title}>
              <a
                href={hrefOf(page.route)}
                aria-current={page.holds.includes(route.page) ? 'page' : undefined}
              >
                {page.title}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div className="side-foot">
        <Connection live={live} />
        <ThemeChoice />
      </div>
    </header>
  );
}

const connections = {
  connecting: { tone: 'neutral', text: 'Connecting' },
  live: { tone: 'good', text: 'Live' },
  lost: { tone: 'bad', text: 'Connection lost' },
} as const;

function Connection({ live }: { live: LiveFleet }): ReactNode {
  const { tone, text } = connections[live.connection];
  return (
    <span className={`connection tone-${tone}`} role="status">
      <span className="dot" aria-hidden="true" />
      {text}
    </span>
  );
}

const themeNames: Record<Theme, string> = { auto: 'System theme', light: 'Light', dark: 'Dark' };

function ThemeChoice(): ReactNode {
  const theme = useTheme();
  return (
    <select
      className="theme"
      aria-label="Colours"
      value={theme}
      onChange={(event) => applyTheme(event.target.value as Theme)}
    >
      {themes.map((name) => (
        <option key={name} value={name}>
          {themeNames[name]}
        </option>
      ))}
    </select>
  );
}
