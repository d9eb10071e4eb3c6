import type { FormEvent, ReactNode } from 'react';

/** Shown when the tab has no token, or one that the server refused. */
export function SignIn({ onToken }: { onToken: (token: string) => void }): ReactNode {
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const text = new FormData(event.currentTarget).get('token');
    const token = typeof text === 'string' && /([\w-]+)$/.exec(text.trim())?.[1];
    if (token) onToken(token);
  }
  return (
    <main className="sign-in">
      <form className="card" onSubmit={submit}>
        <img src="/icon.svg" alt="" width="40" height="40" />
        <h1>This tab has no valid token</h1>
        <p>
          Open the address that <code>berth console</code> prints, with its <code>#token=</code> part, or
          paste it here.
        </p>
        <label htmlFor="token">Token or address</label>
        <input id="token" name="token" type="password" autoComplete="off" required />
        <button className="button primary" type="submit">
          Open the console
        </button>
      </form>
    </main>
  );
}
