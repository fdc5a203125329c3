import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const backend = process.env['BASE_URL'] ?? 'http://localhost:3000';

/** Four screens, four entries: what the worklist or the sandbox EHR needs never weighs on the panel. */
export default defineConfig({
  root: at('client'),
  base: '/',
  plugins: [react()],
  build: {
    outDir: at('dist/client'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { ehr: at('client/ehr.html'), panel: at('client/panel.html'), work: at('client/work.html'), learning: at('client/learning.html') } },
  },
  server: { proxy: Object.fromEntries(['/ehr/', '/panel/', '/work/', '/learning/', '/cds-services', '/payer'].map((path) => [path, backend])) },
});
