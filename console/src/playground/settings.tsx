import type { ReactNode } from 'react';

export interface Settings {
  readonly model: string;
  readonly system: string;
  /** Null leaves it to the server. */
  readonly temperature: number | null;
  readonly maxTokens: number | null;
}

export const firstSettings: Settings = { model: '', system: '', temperature: 0.7, maxTokens: 256 };

interface Props {
  readonly settings: Settings;
  readonly models: readonly string[];
  readonly onChange: (settings: Settings) => void;
}

export function SettingsPanel({ settings, models, onChange }: Props): ReactNode {
  function change(part: Partial<Settings>): void {
    onChange({ ...settings, ...part });
  }
  return (
    <aside className="card settings" aria-label="Settings of the request">
      <div className="field wide">
        <label htmlFor="model">Model</label>
        <select id="model" value={settings.model} onChange={(event) => change({ model: event.target.value })}>
          {models.map((model) => (
            <option key={model}>{model}</option>
          ))}
        </select>
      </div>
      <div className="field wide">
        <label htmlFor="system">System prompt</label>
        <textarea
          id="system"
          rows={3}
          value={settings.system}
          placeholder="None"
          onChange={(event) => change({ system: event.target.value })}
        />
      </div>
      <NumberField
        id="temperature"
        label="Temperature"
        value={settings.temperature}
        range={{ min: 0, max: 2, step: 0.1 }}
        onChange={(temperature) => change({ temperature })}
      />
      <NumberField
        id="max-tokens"
        label="Most output tokens"
        value={settings.maxTokens}
        range={{ min: 1, max: 1_000_000, step: 1 }}
        onChange={(maxTokens) => change({ maxTokens })}
      />
    </aside>
  );
}

interface NumberProps {
  readonly id: string;
  readonly label: string;
  readonly value: number | null;
  readonly range: { readonly min: number; readonly max: number; readonly step: number };
  readonly onChange: (value: number | null) => void;
}

/** Empty means: as the server likes. */
function NumberField({ id, label, value, range, onChange }: NumberProps): ReactNode {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="number"
        inputMode="decimal"
        {...range}
        value={value ?? ''}
        placeholder="The server's own"
        onChange={(event) => {
          const { valueAsNumber } = event.target;
          onChange(
            Number.isNaN(valueAsNumber) ? null : Math.min(Math.max(valueAsNumber, range.min), range.max),
          );
        }}
      />
    </div>
  );
}
