import { BerthError } from '../domain/errors/berth-error.ts';
import { shownSource } from '../domain/model-source.ts';
import type { ModelSource } from './contract.ts';
import { hfSource } from './hf.ts';
import { httpSource } from './http.ts';
import { ociSource } from './oci.ts';
import { pvcSource } from './pvc.ts';
import { s3Source } from './s3.ts';

/** Kinds of places that models are fetched from, and one line for each. A path is no place: it is where the model is. */
export const modelSources = [hfSource, s3Source, httpSource, pvcSource, ociSource] as const;

/** Throws MODEL_SOURCE_UNKNOWN. */
export function sourceOf(source: string): ModelSource {
  const found = modelSources.find(({ owns }) => owns(source));
  if (!found)
    throw new BerthError('MODEL_SOURCE_UNKNOWN', {
      source: shownSource(source),
      forms: modelSources.map(({ form }) => form),
    });
  const reason = found.misshapen(source);
  if (reason !== null)
    throw new BerthError('MODEL_SOURCE_UNKNOWN', {
      source: shownSource(source),
      forms: [found.form],
      reason,
    });
  return found;
}
