import type { ReactNode } from 'react';
import type { LlmServicesStatus, LlmServiceStatus } from '../../../src/domain/fleet-status.ts';
import { State } from '../parts/state.tsx';
import type { Tone } from '../parts/state.tsx';

const tones: Readonly<Record<LlmServiceStatus['state'], Tone>> = {
  ready: 'good',
  'not ready': 'warn',
  stopped: 'neutral',
  unknown: 'neutral',
};

/** Services of KServe's newer kind beside the fleet's own: they are told, and neither made nor changed. */
export function LlmServices({ all }: { all: readonly LlmServicesStatus[] }): ReactNode {
  return all.map(({ host, namespace, services, unseen }) => (
    <section className="card" key={host} aria-labelledby={`llm-${host}`}>
      <h2 id={`llm-${host}`}>
        LLMInferenceServices of {host} (namespace {namespace})
      </h2>
      {unseen !== null && <p className="note">They are not seen: {unseen}</p>}
      {services.length > 0 && <Services services={services} />}
    </section>
  ));
}

function Services({ services }: { services: readonly LlmServiceStatus[] }): ReactNode {
  return (
    <table className="stacking">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">State</th>
          <th scope="col">URL</th>
          <th scope="col">Model</th>
        </tr>
      </thead>
      <tbody>
        {services.map(({ name, state, reason, url, model }) => (
          <tr key={name}>
            <th scope="row" data-label="Name">
              {name}
            </th>
            <td data-label="State">
              <State tone={tones[state]}>{state + (reason === null ? '' : ` (${reason})`)}</State>
            </td>
            <td data-label="URL">{url === null ? '-' : <code>{url}</code>}</td>
            <td data-label="Model">{model === null ? '-' : <code>{model}</code>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
