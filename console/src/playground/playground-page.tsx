import { useState } from 'react';
import type { ReactNode } from 'react';
import { Fault } from '../parts/fault.tsx';
import { PageHead } from '../parts/page-head.tsx';
import type { LiveFleet } from '../use-live-fleet.ts';
import { useLoaded } from '../use-loaded.ts';
import { Composer } from './composer.tsx';
import { firstSettings, SettingsPanel } from './settings.tsx';
import { Transcript } from './transcript.tsx';
import { useChat } from './use-chat.ts';

interface ModelList {
  readonly data: readonly { readonly id: string }[];
}

/** A chat with any model of the gateway. `wanted` is the model that the address names. */
export function PlaygroundPage(props: { shown: boolean; wanted: string | null; live: LiveFleet }): ReactNode {
  const { shown, wanted, live } = props;
  const [settings, setSettings] = useState(firstSettings);
  const chat = useChat();
  // The list is asked for again whenever the gateway comes or goes, or its routes change.
  const again = `${live.status?.gateway.state} ${JSON.stringify(live.status?.routes)}`;
  const loaded = useLoaded<ModelList>(shown ? '/models' : null, again);
  const models = loaded.value?.data.map(({ id }) => id) ?? [];
  const [seen, setSeen] = useState<string | null>(null);
  if (shown && wanted !== seen) {
    setSeen(wanted);
    if (wanted !== null) setSettings({ ...settings, model: wanted });
  }
  const model = models.includes(settings.model) ? settings.model : (models[0] ?? '');
  const used = { ...settings, model };
  if (!shown) return null;
  return (
    <div className="playground">
      <PageHead title="Playground" lead="Chat with a model through the gateway.">
        <button className="button" type="button" disabled={chat.turns.length === 0} onClick={chat.clear}>
          Clear
        </button>
      </PageHead>
      {loaded.error !== null && <Fault title="The models are not known" error={loaded.error} />}
      <div className="playground-body">
        <SettingsPanel settings={used} models={models} onChange={setSettings} />
        <section className="card talk" aria-label="Chat">
          {chat.turns.length === 0 && <Hint none={!loaded.loading && models.length === 0} />}
          <Transcript turns={chat.turns} busy={chat.busy} />
          <Composer
            busy={chat.busy}
            blocked={model === '' ? 'No model can be asked yet.' : null}
            onSend={(text) => chat.send(text, used)}
            onStop={chat.stop}
          />
        </section>
      </div>
    </div>
  );
}

function Hint({ none }: { none: boolean }): ReactNode {
  return (
    <p className="hint">
      {none
        ? 'The gateway has no routes yet. Add a deployment to the fleet file and apply it.'
        : 'The answer appears here token by token, with its time to the first token and its speed.'}
    </p>
  );
}
