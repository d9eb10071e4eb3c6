import { useState } from 'react';
import type { ReactNode, SyntheticEvent } from 'react';

const dayMs = 86_400_000;
const lifetimes = [
  { title: 'Never', days: null },
  { title: 'In 7 days', days: 7 },
  { title: 'In 30 days', days: 30 },
  { title: 'In 90 days', days: 90 },
  { title: 'In a year', days: 365 },
] as const;

interface Props {
  readonly models: readonly string[];
  /** A KeyWish; the server checks it. */
  readonly onMake: (wish: unknown) => Promise<void>;
  readonly onCancel: () => void;
}

/** What a new key may do. The finer bounds are the command line's. */
export function KeyForm({ models, onMake, onCancel }: Props): ReactNode {
  const [busy, setBusy] = useState(false);
  async function submit(event: SyntheticEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    await onMake(wishOf(form, Date.now()));
    setBusy(false);
  }
  return (
    <form className="card key-form" aria-label="New key" onSubmit={(event) => void submit(event)}>
      <div className="field">
        <label htmlFor="key-name">Name</label>
        <input
          id="key-name"
          name="name"
          required
          maxLength={63}
          autoFocus
          autoComplete="off"
          placeholder="laptop"
        />
      </div>
      <div className="field">
        <label htmlFor="key-expires">Expires</label>
        <select id="key-expires" name="days">
          {lifetimes.map(({ title, days }) => (
            <option key={title} value={days ?? ''}>
              {title}
            </option>
          ))}
        </select>
      </div>
      <div className="field">
        <label htmlFor="key-rpm">Requests per minute</label>
        <input id="key-rpm" name="rpm" type="number" min={1} placeholder="no bound" />
      </div>
      <Amount name="tpm" title="Tokens per minute" />
      <Amount name="day-tokens" title="Tokens per day" />
      <Amount name="day-usd" title="Dollars per day" step="any" />
      <Amount name="month-tokens" title="Tokens per month" />
      <Amount name="month-usd" title="Dollars per month" step="any" />
      {models.length > 0 && <ModelChoice models={models} />}
      <label className="wide">
        <input type="checkbox" name="control" /> It may control the gateway too
      </label>
      <div className="page-actions wide">
        <button className="button primary" type="submit" disabled={busy}>
          Make the key
        </button>
        <button className="button" type="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function Amount({ name, title, step = '1' }: { name: string; title: string; step?: string }): ReactNode {
  return (
    <div className="field">
      <label htmlFor={`key-${name}`}>{title}</label>
      <input
        id={`key-${name}`}
        name={name}
        type="number"
        min={step === '1' ? 1 : 0}
        step={step}
        placeholder="no bound"
      />
    </div>
  );
}

function ModelChoice({ models }: { models: readonly string[] }): ReactNode {
  return (
    <fieldset className="field wide">
      <legend>Models</legend>
      <p className="muted">None ticked: all of them.</p>
      <div className="choices">
        {models.map((model) => (
          <label key={model}>
            <input type="checkbox" name="model" value={model} /> {model}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** `now` in ms since 1970. */
function wishOf(form: FormData, now: number): Record<string, unknown> {
  const models = form.getAll('model');
  const days = Number(form.get('days'));
  return {
    name: form.get('name'),
    models: models.length > 0 ? models : null,
    expiresAt: days > 0 ? new Date(now + days * dayMs).toISOString() : null,
    limits: limitsOf(form),
    control: form.get('control') !== null,
  };
}

/** What was left empty bounds nothing. */
function limitsOf(form: FormData): Record<string, unknown> | null {
  const budget = given({
    day: given({ tokens: amount(form, 'day-tokens'), usd: amount(form, 'day-usd') }),
    month: given({ tokens: amount(form, 'month-tokens'), usd: amount(form, 'month-usd') }),
  });
  return given({ rpm: amount(form, 'rpm'), tpm: amount(form, 'tpm'), budget });
}

function amount(form: FormData, name: string): number | null {
  const value = Number(form.get(name));
  return value > 0 ? value : null;
}

function given(parts: Record<string, unknown>): Record<string, unknown> | null {
  const known = Object.entries(parts).filter(([, value]) => value !== null);
  return known.length > 0 ? Object.fromEntries(known) : null;
}
