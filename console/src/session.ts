const name = 'berth-token';

/**
 * The address that `berth up` prints ends in #token=…: a fragment, which no server and no log sees.
 * It moves into this tab's session storage and out of the address bar and the history.
 */
export function takeTokenFromAddress(): void {
  const token = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
  if (!token) return;
  keepToken(token);
  history.replaceState(null, '', `${location.pathname}#/fleet`);
}

export function keepToken(token: string): void {
  sessionStorage.setItem(name, token);
}

export function currentToken(): string | null {
  return sessionStorage.getItem(name);
}

export function dropToken(): void {
  sessionStorage.removeItem(name);
}
