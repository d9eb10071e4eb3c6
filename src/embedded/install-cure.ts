/** What to do about a failed install, from what npm printed. */
export function installCure(output: string): string {
  if (/spawn npm ENOENT/.test(output)) return 'Install npm and put it on PATH, then run this again.';
  if (/ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|E50\d/.test(output)) {
    return 'The package registry cannot be reached: check the network, the proxy and "npm config get registry", then run this again.';
  }
  if (/EACCES|EPERM|EROFS/.test(output)) {
    return "This user may not write there: check the folder and npm's cache, or name another place with --state-dir.";
  }
  if (/ENOSPC/.test(output)) return 'The disk is full: about 200 MB are needed.';
  if (/does not load/.test(output)) {
    return 'The ready-made builds need Linux with glibc on x64 or arm64; elsewhere use an engine of kind llama.cpp or openai.';
  }
  return 'Run this again with --verbose, or use an engine of kind llama.cpp or openai.';
}
