const opening = '{{';
/** An action of Go's templates that writes two braces; a quoted text would end in JSON, which is what KServe reads as a template. */
const written = '{{`{{`}}';

/**
 * A text that a container gets as it stands: KServe takes the container of a runtime, merged with that of a service, as JSON for a
 * template of Go, and fills in metadata of the service for what stands in "{{ }}". What it cannot read it makes no pods of. Pure.
 */
export function plainText(text: string): string {
  return text.replaceAll(opening, written);
}

/** The same text as KServe hands it on; null where it fills in something else, as a user's patch may have it. Pure. */
export function filledIn(text: string): string | null {
  const parts = text.split(written);
  return parts.some((part) => part.includes(opening)) ? null : parts.join(opening);
}
