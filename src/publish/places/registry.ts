import { modelRegistryPublisher } from '../model-registry/publisher.ts';
import { s3Publisher } from '../s3/publisher.ts';

/** Every place that runs are told to. Add one: write its folder beside these, then name it here. */
export const runPublishers = [s3Publisher, modelRegistryPublisher] as const;
