import { holdSecret } from '../../domain/command-line/redact.ts';
import { parseDocument } from 'yaml';
import type { ScannedServer } from '../../domain/scan-report.ts';
import { engineOf } from '../../engines/registry.ts';
import { optionsOf } from '../adopt/entries.ts';
import type { Destination } from '../relocate/destination.ts';
import { setField } from '../relocate/set-field.ts';

/** A server that is only reached, with what is known of how it was started. */
export interface Reached {
  readonly server: ScannedServer;
  /** The folder that it runs in. */
  readonly folder: string | null;
  /** Where its model lies on this machine; null: nowhere that could be told. */
  readonly model: string | null;
}

/** What berth would start in place of a server that it only reaches, or why it cannot, as the end of a sentence. Pure. */
export function takenOver(
  text: string,
  { name, port, to }: { name: string; port: number | null; to: Destination },
  { server, folder, model }: Reached,
): string | { readonly reason: string } {
  const engine = server.engine === 'unknown' ? null : engineOf(server.engine);
  if (!engine?.launch || !engine.options) return { reason: 'berth does not know how it is started' };
  if (Object.keys(server.options).length === 0)
    return { reason: 'its command line does not tell how it was started' };
  if (server.keyed === true) return { reason: 'it asks for a key that berth does not know' };
  const options = optionsOf(server, folder);
  if (holdSecret(options)) return { reason: 'its command line holds a secret' };
  const parsed = engine.options.safeParse(options);
  if (!parsed.success) return { reason: 'its command line says what a fleet file cannot' };
  if (server.model !== null && model === null)
    return { reason: `where its model ${server.model} lies on this machine cannot be told` };
  const before = (parseDocument(text).toJS() as { deployments: Record<string, Record<string, unknown>> })
    .deployments[name];
  const { engine: _engine, target: _target, host: _host, port: _port, ...rest } = before ?? {};
  const withModel = model === null ? null : modelIn(text, name, model);
  return setField(withModel?.text ?? text, ['deployments', name], {
    ...rest,
    ...(withModel ? { model: withModel.model } : {}),
    host: to.host,
    ...(port === null ? {} : { port }),
    ...(server.gpus.length > 0 ? { gpus: server.gpus.length } : {}),
    engine: options,
    target: { kind: to.target },
  });
}

/** Under the name that it has in the file, else that of the deployment, with a number where another one has that. */
function modelIn(text: string, name: string, source: string): { text: string; model: string } {
  const file = parseDocument(text).toJS() as { models?: Record<string, { source?: string }> | null };
  const models = file.models ?? {};
  const known = Object.entries(models).find(([, one]) => one.source === source)?.[0];
  if (known !== undefined) return { text, model: known };
  let model = name;
  for (let number = 2; models[model]; number += 1) model = `${name}-${number}`;
  return { text: setField(text, ['models', model], { source }), model };
}
