/** What this machine needs to reach the registry. Not npm's folders: they belong to whoever runs the tests. */
export function registrySettings(): Record<string, string> {
  const wanted =
    /^(npm_config_(registry|proxy|https_proxy|noproxy|cafile|strict_ssl)|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS)$/i;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([key, value]) => (wanted.test(key) && value ? [[key, value]] : [])),
  );
}
