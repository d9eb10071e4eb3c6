import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Built into dist/console, from where the control server serves it under a policy without inline scripts and foreign content. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    target: ['chrome123', 'firefox121', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
