/** Of a server elsewhere: its models and its state, nothing that it keeps for the operator. */
const elsewhere =
  /^\/(?:(?:v1\/)?models(?:\/[^/]+)?|api\/(?:tags|ps|version)|v1\/health|health|healthz|ping|version|props|metrics|load)?$/;

/** Of an engine of berth's. None tells what others ask, holds a key, or changes something. */
const known: readonly RegExp[] = [
  elsewhere,
  // State.
  /^\/(?:ready|readyz|livez|health_generate|is_sleeping|(?:v1|v2)\/health\/(?:live|ready)|v2)$/,
  // Models. Their names may hold a slash.
  /^\/(?:v1|v3|openai\/v1|api\/v0|api\/v1)\/models(?:\/[^/\\;]+){0,2}$/,
  /^\/v2\/models\/[^/\\;]+(?:\/versions\/\d+)?(?:\/(?:ready|config))?$/,
  /^\/(?:info|get_model_info|model_info|tokenizer_info|lora-adapters|v1\/(?:props|config|audio\/voices))$/,
  /^\/v1\/(?:model|lora|template)(?:\/list)?$/,
  /^\/v1\/internal\/(?:model\/info|model\/list|lora\/list)$/,
  /^\/api\/(?:v1\/(?:model|info\/version|config\/max_(?:context_)?length)|extra\/(?:version|true_max_context_length))$/,
  /^\/sdapi\/v1\/(?:sd-models|samplers|schedulers|loras)$/,
  // Pages.
  /^\/(?:docs|redoc|ui|docs\/|ui\/)$/,
];

/** A file of a web page, by a name without anything that a server could take for the end of a segment or of the path. */
const asset =
  /^(?:\/[\w@~+.-]+)*\/(?:[\w@~+.-]+\.(?:html|m?js|css|map|svg|png|jpe?g|gif|webp|ico|woff2?|ttf|webmanifest)|(?:manifest|openapi|version)\.json)$/i;

/** Where a name that a client chose may come last, and look like a file's. */
const notOfPages = /\/(?:api|v\d+|logs?|upstream|unload|streams?|slots|cors-proxy|captures)(?:\/|$)/i;

/** By these methods nothing changes, unless an engine does it all the same. */
export function isReading(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

/** The path, without a query and as it stands, is known to tell nothing that a key without control must not have. Pure. */
export function isHarmlessRead(path: string, lent: boolean): boolean {
  if (lent) return elsewhere.test(path);
  return known.some((one) => one.test(path)) || (asset.test(path) && !notOfPages.test(path));
}
