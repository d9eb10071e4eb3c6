import { useCallback, useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { FleetPage } from './fleet/fleet-page.tsx';
import { KeysPage } from './keys/keys-page.tsx';
import { LogsPage } from './logs/logs-page.tsx';
import { Navigation } from './navigation.tsx';
import { PlaygroundPage } from './playground/playground-page.tsx';
import { RequestsPage } from './requests/requests-page.tsx';
import { useRoute } from './route.ts';
import type { Route } from './route.ts';
import { RunPage } from './runs/run-page.tsx';
import { RunsPage } from './runs/runs-page.tsx';
import { currentToken, dropToken, keepToken } from './session.ts';
import { SignIn } from './sign-in.tsx';
import { useLiveFleet } from './use-live-fleet.ts';
import type { LiveFleet } from './use-live-fleet.ts';

export function App(): ReactNode {
  const [signedIn, setSignedIn] = useState(currentToken() !== null);
  const onRefused = useCallback(() => {
    dropToken();
    setSignedIn(false);
  }, []);
  function onToken(token: string): void {
    keepToken(token);
    setSignedIn(true);
  }
  return signedIn ? <Console onRefused={onRefused} /> : <SignIn onToken={onToken} />;
}

function Console({ onRefused }: { onRefused: () => void }): ReactNode {
  const live = useLiveFleet(onRefused);
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  const place = location.hash;
  const arrived = useRef(place);
  // Going to another page moves the keyboard's and the screen reader's place along; the first page does not take it.
  useEffect(() => {
    if (arrived.current !== place) main.current?.focus({ preventScroll: true });
    arrived.current = place;
  }, [place]);
  return (
    <div className="shell">
      <a className="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to content
      </a>
      <Navigation route={route} live={live} />
      <main id="main" tabIndex={-1} ref={main}>
        {/* Always there, so that a talk goes on while other pages are looked at. */}
        <PlaygroundPage
          shown={route.page === 'playground'}
          wanted={route.page === 'playground' ? route.model : null}
          live={live}
        />
        <Page route={route} live={live} />
      </main>
    </div>
  );
}

function Page({ route, live }: { route: Route; live: LiveFleet }): ReactNode {
  switch (route.page) {
    case 'fleet':
      return <FleetPage live={live} />;
    case 'requests':
      return <RequestsPage />;
    case 'runs':
      return <RunsPage live={live} />;
    case 'run':
      return <RunPage id={route.id} />;
    case 'keys':
      return <KeysPage live={live} />;
    case 'logs':
      return <LogsPage deployment={route.deployment} live={live} />;
    case 'playground':
      return null;
  }
}
